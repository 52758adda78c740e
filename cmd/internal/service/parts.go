package service

import (
	"context"
	"sync"
	"time"
)

// parts run beside each other until they are stopped together. Each is a function that returns when
// its context has ended and nothing of it runs any more.
type parts struct {
	ctx  context.Context
	end  context.CancelFunc
	runs sync.WaitGroup
}

// newParts makes room for parts that outlive the context: only stop ends them.
func newParts(ctx context.Context) *parts {
	p := &parts{}
	p.ctx, p.end = context.WithCancel(context.WithoutCancel(ctx))
	return p
}

func (p *parts) run(part func(context.Context)) { p.runs.Go(func() { part(p.ctx) }) }

// stop ends the parts, and reports whether they ended within a while. What is left to do then is
// their successors', and the process ends.
func (p *parts) stop(most time.Duration) bool {
	p.end()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.runs.Wait()
	}()
	select {
	case <-ended:
		return true
	case <-time.After(most):
		return false
	}
}
