package service

import (
	"context"
	"errors"
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

// errStill says that a part runs on though it was stopped.
var errStill = errors.New("it does not stop")

// stop ends the parts, and waits for them for no longer than a while: what is left to do then is
// their successors', and the process ends.
func (p *parts) stop(most time.Duration) error {
	p.end()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.runs.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(most):
		return errStill
	}
}
