package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// ours is the service's own program. It gets its batches as everybody would make them: by commands.
type ours struct{ path string }

func (o ours) prepare(ctx context.Context, a *arena) error {
	for _, arguments := range [][]string{{"topics", "create"}, {"migrate", "up"}} {
		if err := runProgram(ctx, o.path, arguments, a.environment()); err != nil {
			return err
		}
	}
	p, err := o.start(a)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := a.send(ctx, contest.Products, createBatch, nil); err != nil {
		return err
	}
	if err := a.awaitEvents(ctx, p, contest.Products, time.Minute); err != nil {
		return fmt.Errorf("create batches: %w", err)
	}
	a.before = contest.Products
	return p.stop()
}

func createBatch(i int) *kgo.Record {
	return &kgo.Record{
		Key:     []byte(sku(i)),
		Value:   fmt.Appendf(nil, `{"ref":%q,"sku":%q,"qty":1000000000}`, batchRef(i), sku(i)),
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.CreateBatch")}},
	}
}

func (o ours) start(a *arena) (*process, error) {
	return startProcess(o.path, []string{"worker"}, a.environment())
}

// peer is a program of this module, with its flags.
type peer []string

func (p peer) path() string { return "bin/compare/" + p[0] }

func (p peer) prepare(ctx context.Context, a *arena) error {
	return runProgram(ctx, p.path(), append([]string{"-setup"}, p[1:]...), a.environment())
}

func (p peer) start(a *arena) (*process, error) {
	return startProcess(p.path(), p[1:], a.environment())
}
