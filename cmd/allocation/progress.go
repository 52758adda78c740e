package main

import (
	"fmt"
	"io"
	"time"

	"allocation/cmd/allocation/config"
)

// progress shows a person how far a long command is; where nobody watches it is silent.
type progress struct {
	out      io.Writer // nil: silent
	size     int64     // in bytes; 0 where it is not known
	started  time.Time
	shown    time.Time
	anything bool
}

const progressEvery = 200 * time.Millisecond

func newProgress(out io.Writer, size int64) *progress {
	if !config.IsTerminal(out) {
		out = nil
	}
	return &progress{out: out, size: size, started: time.Now(), shown: time.Now()}
}

// show is called for each line. It looks at the clock now and then only.
func (p *progress) show(line, bytes int64) {
	if p.out == nil || line%1024 != 0 || time.Since(p.shown) < progressEvery {
		return
	}
	p.shown, p.anything = time.Now(), true
	rate := float64(line) / time.Since(p.started).Seconds()
	text := fmt.Sprintf("%s lines, %s a second", count(line), count(int64(rate)))
	if p.size > 0 {
		text += fmt.Sprintf(", %d%%", bytes*100/p.size)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", text)
}

// end removes the line.
func (p *progress) end() {
	if p.anything {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
