// Package pulse tells which long-lived parts of a process stand still.
//
// A part is a loop that does its work again and again. It says when a round has ended well, and why
// one has not. One that has not ended a round well for longer than it may take stands still: it
// hangs, it fails each time, or it ended. What it measures is old then.
package pulse

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Patience is how long a part may take for a round, where nobody says otherwise: longer than it
// waits for a server that does not answer.
const Patience = 3 * time.Minute

// Parts are the parts of a process. Its methods are safe for use by several goroutines, and take
// no lock of a part's owner.
type Parts struct {
	Patience time.Duration // set before any part begins

	mu  sync.Mutex
	all []*Part
}

// Part is one of them. The methods of a nil Part do nothing.
type Part struct {
	name  string
	of    *Parts
	well  atomic.Int64 // when a round ended well last, or a rest ended; in nanoseconds
	rests atomic.Bool  // it waits for work that may never come
	why   atomic.Pointer[string]
}

// Add gives a part, which rests until it first says something; nil where there are no Parts.
func (p *Parts) Add(name string) *Part {
	if p == nil {
		return nil
	}
	part := &Part{name: name, of: p}
	part.rests.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, part)
	return part
}

// All are the parts, in the order in which they were added.
func (p *Parts) All() []*Part {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[:len(p.all):len(p.all)]
}

// Standing says which parts stand still, for how long, and why where they said so.
func (p *Parts) Standing(now time.Time) (says []string) {
	for _, part := range p.All() {
		if s := part.says(now); s != "" {
			says = append(says, s)
		}
	}
	return says
}

// Name is what people call it.
func (p *Part) Name() string { return p.name }

// Begin ends a rest.
func (p *Part) Begin() {
	if p != nil && p.rests.Load() {
		p.well.Store(time.Now().UnixNano())
		p.rests.Store(false)
	}
}

// Well says that a round ended well.
func (p *Part) Well() {
	if p != nil {
		p.why.Store(nil)
		p.well.Store(time.Now().UnixNano())
		p.rests.Store(false)
	}
}

// Rest says that there is nothing to do until somebody asks for it.
func (p *Part) Rest() {
	if p != nil {
		p.why.Store(nil)
		p.rests.Store(true)
	}
}

// Ill says why a round did not end well; nil: it did.
func (p *Part) Ill(err error) {
	switch {
	case p == nil:
	case err == nil:
		p.Well()
	default:
		p.Begin()
		why := err.Error()
		p.why.Store(&why)
	}
}

// Stands is for how long no round has ended well, where that is longer than there is patience;
// else 0.
func (p *Part) Stands(now time.Time) time.Duration {
	if p == nil || p.rests.Load() {
		return 0
	}
	if stood := now.Sub(time.Unix(0, p.well.Load())); stood > p.of.Patience {
		return stood
	}
	return 0
}

func (p *Part) says(now time.Time) string {
	stood := p.Stands(now)
	if stood == 0 {
		return ""
	}
	says := fmt.Sprintf("%s: stands still for %s", p.name, stood.Truncate(time.Second))
	if why := p.why.Load(); why != nil {
		says += ": " + *why
	}
	return says
}
