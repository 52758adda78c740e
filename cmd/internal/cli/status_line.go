package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"allocation/cmd/internal/config"
)

// StatusLine shows a person what a long command is doing; where nobody watches it is silent.
// Several goroutines may use it.
type StatusLine struct {
	out io.Writer // nil: silent

	mu    sync.Mutex
	shown time.Time
	there bool
}

// statusEvery is how often the line may change.
const statusEvery = 200 * time.Millisecond

// NewStatusLine makes one that writes to out.
func NewStatusLine(out io.Writer) *StatusLine {
	if !config.IsTerminal(out) {
		out = nil
	}
	return &StatusLine{out: out, shown: time.Now()}
}

// Show may be called often.
func (l *StatusLine) Show(doing string, done int64) {
	l.Say(func() string { return doing + ": " + Count(done) })
}

// Say is Show for other texts, which are made only where they are shown.
func (l *StatusLine) Say(text func() string) {
	if l.out == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.shown) < statusEvery {
		return
	}
	l.shown, l.there = time.Now(), true
	fmt.Fprintf(l.out, "\r\x1b[K%s", text())
}

// End removes the line.
func (l *StatusLine) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.there {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.there = false
	}
}
