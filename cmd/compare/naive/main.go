// Command naive is what a careful person writes first: one Postgres transaction for each command,
// with the batch's row locked, the line, the outbox row and the position in Kafka in it; and a
// relay that polls the outbox, publishes, and deletes. It is correct, keeps each product's order,
// and starts again where it stopped. With -connections 12 each partition has a connection of its
// own.
package main

import (
	"context"
	"flag"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

var (
	connections  = flag.Int("connections", 1, "transactions at the same time, each of other partitions")
	pollInterval = flag.Duration("poll-interval", 50*time.Millisecond, "how often the relay looks")
)

func main() { contest.Main(contest.Contestant{Setup: setup, Run: run}) }

// run reads until the context ends, or a part fails. What was read and not applied is read again
// after the next start.
func run(ctx context.Context, settings contest.Settings) error {
	positions, err := loadPositions(ctx, settings)
	if err != nil {
		return err
	}
	working, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var wg sync.WaitGroup
	part := func(do func(context.Context) error) {
		wg.Go(func() {
			if err := do(working); err != nil && ctx.Err() == nil {
				fail(err)
			}
		})
	}
	queues := make([]chan *kgo.Record, *connections)
	for i := range queues {
		queues[i] = make(chan *kgo.Record, 1000)
		w := &writer{settings: settings, positions: positions}
		part(func(ctx context.Context) error { return w.run(ctx, queues[i]) })
	}
	starts := slices.Clone(positions)
	part(func(ctx context.Context) error {
		return settings.Read(ctx, starts, func(r *kgo.Record) {
			select {
			case queues[int(r.Partition)%len(queues)] <- r: // full queues stop the reading
			case <-ctx.Done():
			}
		})
	})
	part(func(ctx context.Context) error { return relay(ctx, settings) })
	wg.Wait()
	if ctx.Err() != nil {
		return nil // it was told to stop, which is why the parts ended
	}
	return context.Cause(working)
}

// loadPositions says where each partition continues.
func loadPositions(ctx context.Context, settings contest.Settings) ([]int64, error) {
	conn, err := pgx.Connect(ctx, settings.Database)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `select next_offset from n_positions order by partition`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
