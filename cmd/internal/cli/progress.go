package cli

import (
	"fmt"
	"io"
	"time"

	"allocation/cmd/internal/config"
)

// Progress shows a person how far a long command is; where nobody watches it is silent.
type Progress struct {
	out      io.Writer // nil: silent
	size     int64     // in bytes; 0 where it is not known
	started  time.Time
	shown    time.Time
	anything bool
}

const progressEvery = 200 * time.Millisecond

// NewProgress makes one of a file of so many bytes; 0 where that is not known.
func NewProgress(out io.Writer, size int64) *Progress {
	if !config.IsTerminal(out) {
		out = nil
	}
	return &Progress{out: out, size: size, started: time.Now(), shown: time.Now()}
}

// Show is called for each line. It looks at the clock now and then only.
func (p *Progress) Show(line, bytes int64) {
	if p.out == nil || line%1024 != 0 || time.Since(p.shown) < progressEvery {
		return
	}
	p.shown, p.anything = time.Now(), true
	rate := float64(line) / time.Since(p.started).Seconds()
	text := fmt.Sprintf("%s lines, %s a second", Count(line), Count(int64(rate)))
	if p.size > 0 {
		text += fmt.Sprintf(", %d%%", bytes*100/p.size)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", text)
}

// End removes the line.
func (p *Progress) End() {
	if p.anything {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
