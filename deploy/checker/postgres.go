package checker

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"unique"

	"github.com/jackc/pgx/v5"
)

// readTables reads the tables in one snapshot.
func readTables(ctx context.Context, url string) (t Tables, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return t, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `set search_path to allocation`); err != nil { // the service's schema
		return t, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return t, err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // nothing was written
	return t, errors.Join(
		query(ctx, tx, &t.Positions, `select source, topic, translate(encode(uuid_send(topic_id), 'base64'), '+/=', '-_'), partition, next_offset, next_row, published_row from positions`),
		query(ctx, tx, &t.Products, `select sku, version, waiting from products`),
		query(ctx, tx, &t.Batches, `select ref, sku, qty, allocated, coalesce(eta::text, ''), first_qty, coalesce(first_eta::text, ''),
			coalesce(revision, -1), coalesce(last_change, '') from batches`),
		query(ctx, tx, &t.Lines, `select orderid, sku, lineid, qty, placed, state::text, coalesce(batchref, '') from lines`),
		readOutbox(ctx, tx, &t.Outbox),
		query(ctx, tx, &t.Letters, `select source, row_no, command_offset, reason, record_key, value, coalesce(command_source, source), state, retries from dead_letters`),
		query(ctx, tx, &t.HeldKeys, `select key, source, row_no from held_keys`),
		query(ctx, tx, &t.HeldCommands, `select seq, key, command_source, command_offset, value from held_commands order by seq`),
	)
}

func query[T any](ctx context.Context, tx pgx.Tx, into *[]T, sql string) error {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}
	*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	return err
}

// readOutbox reads the events row by row, and keeps a sum of what each says.
func readOutbox(ctx context.Context, tx pgx.Tx, into *[]OutboxRow) error {
	rows, err := tx.Query(ctx, `select source, row_no, command_offset, event_no, type, coalesce(command_source, source), key, coalesce(sequence, 0), value from outbox`)
	if err != nil {
		return err
	}
	var row OutboxRow
	var key string
	var sequence int64
	var value []byte
	_, err = pgx.ForEachRow(rows, []any{&row.Source, &row.Row, &row.Offset, &row.Event, &row.Type, &row.CommandSource, &key, &sequence, &value}, func() error {
		row.Type = unique.Make(row.Type).Value() // one text for all
		row.Sum = sumOf(row.Type, key, sequence, value)
		*into = append(*into, row)
		return nil
	})
	return err
}

// sumOf tells what an event says from what another says.
func sumOf(kind, key string, sequence int64, value []byte) uint64 {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%s\x00%s\x00%d\x00", kind, key, sequence)
	sum.Write(value)
	return sum.Sum64()
}
