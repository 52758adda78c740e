// Command faulty is allocation with faults on purpose, for the tests of crash safety: a worker that
// is killed or stopped at a named point, and commands that fail, end the process or take too long.
package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/service"
	"allocation/outbox"
	"allocation/worker"
)

func main() { program.Main(faults()) }

// faults put the fault in that ALLOCATION_FAULT names, and make commands poisonous where
// ALLOCATION_POISON says so.
func faults() service.Hooks {
	if poisoned() {
		return service.Hooks{WrapStore: func(s worker.Store) worker.Store { return poisonedStore{s} }}
	}
	f := faultFromEnvironment()
	if f == nil {
		return service.Hooks{}
	}
	return service.Hooks{
		Kafka: []kgo.Opt{f.hook()},
		AdjustPool: func(pool *pgxpool.Config) {
			pool.ConnConfig.DialFunc = f.dialPostgres(pool.ConnConfig.DialFunc)
		},
		WrapStore: func(s worker.Store) worker.Store { return &faultyStore{Store: s, fault: f, saved: map[int32]int64{}} },
		WrapTable: func(t outbox.Table) outbox.Table { return &faultyTable{Table: t, fault: f} },
	}
}

// faultyTable strikes while rows of before a claim are published.
type faultyTable struct {
	outbox.Table
	fault *fault
}

// Rows strikes when rows were read that are not published yet.
func (t *faultyTable) Rows(ctx context.Context, source outbox.Source, from, to int64) ([]outbox.Row, error) {
	rows, err := t.Table.Rows(ctx, source, from, to)
	if err == nil && len(rows) > 0 {
		t.fault.reach(atDrain)
	}
	return rows, err
}
