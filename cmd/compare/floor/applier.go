package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

// batch is a batch of stock as the applier has decided it, which is what the database has after the
// next transaction.
type batch struct {
	ref, sku       string
	alloc, version int64
	saved          int64 // the version that the database has
}

// applier applies the commands of its partitions in one transaction at a time. Products do not have
// commands in two appliers.
type applier struct {
	relay *kgo.Client
	fail  context.CancelCauseFunc

	conn  *pgx.Conn
	cache map[string]*batch
	from  map[int32]int64 // the next offset of each partition
	seq   int64
}

func (a *applier) run(ctx context.Context, database string, queue <-chan item) (err error) {
	if a.conn, err = pgx.Connect(ctx, database); err != nil {
		return err
	}
	defer a.conn.Close(ctx)
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
	var b batch
	rows, _ := a.conn.Query(ctx, `select ref, sku, allocated, version from f_batches`) // its error comes with the rows
	_, err := pgx.ForEachRow(rows, []any{&b.ref, &b.sku, &b.alloc, &b.version}, func() error {
		loaded := b
		loaded.saved = b.version
		a.cache[b.sku] = &loaded
		return nil
	})
	return err
}

// gather takes what waits, up to the most of a transaction.
func gather(first item, queue <-chan item) []item {
	items := []item{first}
	for len(items) < maxCommands {
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
		a.relay.Produce(ctx, l.event(), func(_ *kgo.Record, err error) {
			if err != nil {
				a.fail(err)
			}
		})
	}
}
