package cli

import (
	"fmt"
	"io"
	"time"

	"allocation/cmd/internal/config"
)

// StatusLine shows a person what a long command is doing; where nobody watches it is silent.
type StatusLine struct {
	out   io.Writer // nil: silent
	shown time.Time
	there bool
}

// NewStatusLine makes one that writes to out.
func NewStatusLine(out io.Writer) *StatusLine {
	if !config.IsTerminal(out) {
		out = nil
	}
	return &StatusLine{out: out}
}

// Show may be called often.
func (l *StatusLine) Show(doing string, done int64) {
	if l.out == nil || time.Since(l.shown) < progressEvery {
		return
	}
	l.shown, l.there = time.Now(), true
	fmt.Fprintf(l.out, "\r\x1b[K%s: %s", doing, Count(done))
}

// End removes the line.
func (l *StatusLine) End() {
	if l.there {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.there = false
	}
}
