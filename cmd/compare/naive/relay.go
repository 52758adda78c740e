package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// relayBatch is how many rows the relay publishes at once.
const relayBatch = 1000

// outboxRow is an event to publish.
type outboxRow struct {
	ID         int64
	Key, Event string
	Payload    []byte
}

// relay publishes what is in the outbox until the context ends. It looks again at once where there
// was as much as it takes.
func relay(ctx context.Context, settings contest.Settings) error {
	conn, err := pgx.Connect(ctx, settings.Database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	producer, err := settings.Producer()
	if err != nil {
		return err
	}
	defer producer.Close()
	poll := time.NewTicker(*pollInterval)
	defer poll.Stop()
	for {
		published, err := publish(context.WithoutCancel(ctx), conn, producer)
		if err != nil {
			return err
		}
		if published == relayBatch && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
	}
}

// publish deletes rows after Kafka acknowledged them: what is published and not deleted is
// published again. Rows of a product are numbered in the order of their commits, because one writer
// makes them all.
func publish(ctx context.Context, conn *pgx.Conn, producer *kgo.Client) (published int, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		found, err := tx.Query(ctx, `select id, key, event_id, payload from n_outbox order by id for update skip locked limit $1`, relayBatch)
		if err != nil {
			return err
		}
		rows, err := pgx.CollectRows(found, pgx.RowToStructByPos[outboxRow])
		if err != nil || len(rows) == 0 {
			return err
		}
		ids, records := make([]int64, len(rows)), make([]*kgo.Record, len(rows))
		for i, row := range rows {
			ids[i], records[i] = row.ID, contest.Event(row.Key, row.Event, row.Payload)
		}
		if err := producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `delete from n_outbox where id = any($1)`, ids)
		published = len(rows)
		return err
	})
	return published, err
}
