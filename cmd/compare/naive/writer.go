package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// writer applies the commands of its partitions, one a transaction.
type writer struct {
	settings  contest.Settings
	positions []int64 // by partition; each writer touches those of its own partitions only
}

func (w *writer) run(ctx context.Context, queue <-chan *kgo.Record) error {
	conn, err := pgx.Connect(ctx, w.settings.Database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		select {
		case <-ctx.Done():
			return nil
		case record := <-queue:
			// A transaction that was begun is finished, whether or not the program is told to stop.
			if err := w.apply(context.WithoutCancel(ctx), conn, record); err != nil {
				return err
			}
		}
	}
}

// apply decides and writes one command.
func (w *writer) apply(ctx context.Context, conn *pgx.Conn, record *kgo.Record) error {
	var command contest.Command
	if err := json.Unmarshal(record.Value, &command); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		event := contest.Allocated{Command: command}
		err := tx.QueryRow(ctx, `select ref from n_batches where sku = $1 and qty - allocated >= $2 order by eta nulls first, ref limit 1 for update`,
			command.SKU, command.Qty).Scan(&event.BatchRef)
		if err != nil {
			return fmt.Errorf("find a batch of %s: %w", command.SKU, err)
		}
		if _, err := tx.Exec(ctx, `insert into n_lines(order_id, sku, qty, batch_ref) values ($1, $2, $3, $4)`,
			command.OrderID, command.SKU, command.Qty, event.BatchRef); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update n_batches set allocated = allocated + $2, version = version + 1 where ref = $1`, event.BatchRef, command.Qty); err != nil {
			return err
		}
		payload, err := event.Value()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into n_outbox(key, type, event_id, payload) values ($1, $2, $3, $4)`,
			command.SKU, contest.AllocatedType, contest.EventID(record.Partition, record.Offset), payload); err != nil {
			return err
		}
		return w.move(ctx, tx, record)
	})
}

// move writes the position, which must be where this writer left it: else another one works on the
// partition, too.
func (w *writer) move(ctx context.Context, tx pgx.Tx, record *kgo.Record) error {
	tag, err := tx.Exec(ctx, `update n_positions set next_offset = $3 where partition = $1 and next_offset = $2`,
		record.Partition, w.positions[record.Partition], record.Offset+1)
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("another writer moved the position of partition %d", record.Partition)
	}
	w.positions[record.Partition] = record.Offset + 1
	return nil
}
