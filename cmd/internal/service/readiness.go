package service

import (
	"context"
	"sync/atomic"

	"allocation/cmd/internal/cli"
)

// readiness is what /readyz asks, from before there is a worker.
type readiness struct {
	answer atomic.Pointer[func(context.Context) health]
	stuck  atomic.Pointer[func() string]
}

// health is what a worker says of itself.
type health struct {
	reasons []string // why it is not ready; none where it is
	notes   []string // what is wrong with some of its partitions, and no reason
}

func newReadiness() *readiness {
	r := &readiness{}
	r.watch(func() string { return "" })
	r.starting("starting")
	return r
}

// starting says why there is no worker yet.
func (r *readiness) starting(reason string) {
	r.ask(func(context.Context) health { return health{reasons: []string{reason}} })
}

// ask makes a worker answer from now on.
func (r *readiness) ask(answer func(context.Context) health) { r.answer.Store(&answer) }

func (r *readiness) health(ctx context.Context) health { return (*r.answer.Load())(ctx) }

// watch has /livez ask whether the process works, and why not.
func (r *readiness) watch(stuck func() string) { r.stuck.Store(&stuck) }

// await returns true when the worker is ready, and false when the context ended before.
func (r *readiness) await(ctx context.Context) bool {
	return cli.Until(ctx, func(ctx context.Context) (bool, error) { return len(r.health(ctx).reasons) == 0, nil }) == nil
}
