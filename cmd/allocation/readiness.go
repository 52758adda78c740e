package main

import (
	"context"
	"sync/atomic"
	"time"
)

// readiness is what /readyz asks, from before there is a worker.
type readiness struct {
	notReady atomic.Pointer[func(context.Context) []string]
}

func newReadiness() *readiness {
	r := &readiness{}
	r.starting("starting")
	return r
}

// starting says why there is no worker yet.
func (r *readiness) starting(reason string) {
	r.ask(func(context.Context) []string { return []string{reason} })
}

// ask makes a worker answer from now on.
func (r *readiness) ask(notReady func(context.Context) []string) { r.notReady.Store(&notReady) }

// reasons are why the worker is not ready; none where it is.
func (r *readiness) reasons(ctx context.Context) []string { return (*r.notReady.Load())(ctx) }

const awaitReadyEvery = 50 * time.Millisecond

// await returns true when the worker is ready, and false when the context ended before.
func (r *readiness) await(ctx context.Context) bool {
	tick := time.NewTicker(awaitReadyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			if len(r.reasons(ctx)) == 0 {
				return true
			}
		}
	}
}
