package main

import (
	"fmt"
	"io"
	"time"

	"allocation/cmd/allocation/config"
)

// statusLine shows a person what a long command is doing; where nobody watches it is silent.
type statusLine struct {
	out   io.Writer // nil: silent
	shown time.Time
	there bool
}

func newStatusLine(out io.Writer) *statusLine {
	if !config.IsTerminal(out) {
		out = nil
	}
	return &statusLine{out: out}
}

// show may be called often.
func (l *statusLine) show(doing string, done int64) {
	if l.out == nil || time.Since(l.shown) < progressEvery {
		return
	}
	l.shown, l.there = time.Now(), true
	fmt.Fprintf(l.out, "\r\x1b[K%s: %s", doing, count(done))
}

// end removes the line.
func (l *statusLine) end() {
	if l.there {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.there = false
	}
}
