package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// batch is a batch of stock as the applier has decided it, which is what the database has after the
// next transaction.
type batch struct {
	ref, sku            string
	qty, alloc, version int64
	saved               int64 // the version that the database has
}

// applier applies the commands of its partitions in one transaction at a time. Products do not have
// commands in two appliers.
type applier struct {
	relay *kgo.Client
	fail  context.CancelCauseFunc

	conn  *pgxpool.Conn
	cache map[string]*batch
	from  map[int32]int64 // the next offset of each partition
	seq   int64
}

func (a *applier) run(ctx context.Context, pool *pgxpool.Pool, queue <-chan item) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	a.conn, a.from = conn, map[int32]int64{}
	if err := a.load(ctx); err != nil {
		return err
	}
	for first := range queue {
		items := gather(first, queue)
		w := a.decide(items)
		if err := a.save(ctx, w); err != nil {
			return err
		}
		a.publish(ctx, w)
	}
	return nil
}

func (a *applier) load(ctx context.Context) error {
	a.cache = map[string]*batch{}
	rows, err := a.conn.Query(ctx, `select ref, sku, qty, allocated, version from f_batches`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b batch
		if err := rows.Scan(&b.ref, &b.sku, &b.qty, &b.alloc, &b.version); err != nil {
			return err
		}
		b.saved = b.version
		a.cache[b.sku] = &b
	}
	return rows.Err()
}

// gather takes what waits, up to the most of a transaction.
func gather(first item, queue <-chan item) []item {
	items := []item{first}
	for len(items) < *most {
		select {
		case next, ok := <-queue:
			if !ok {
				return items
			}
			items = append(items, next)
		default:
			return items
		}
	}
	return items
}

// publish hands the events to the producer, whose acknowledgements nobody waits for before the next
// batch.
func (a *applier) publish(ctx context.Context, w *writes) {
	for i := range w.lines {
		l := &w.lines[i]
		event := contest.Event(l.command.SKU, contest.EventID(l.record.Partition, l.record.Offset), l.payload)
		a.relay.Produce(ctx, event, func(_ *kgo.Record, err error) {
			if err != nil {
				a.fail(err)
			}
		})
	}
}
