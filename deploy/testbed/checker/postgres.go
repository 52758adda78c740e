package checker

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// readTables reads the tables in one snapshot.
func readTables(ctx context.Context, url string) (t Tables, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return t, err
	}
	defer conn.Close(ctx)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return t, err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // nothing was written
	err = errors.Join(
		query(ctx, tx, &t.Positions, `select source, topic, translate(encode(uuid_send(topic_id), 'base64'), '+/=', '-_'), partition, next_offset, next_row, published_row from positions`),
		query(ctx, tx, &t.Products, `select sku, version, waiting from products`),
		query(ctx, tx, &t.Batches, `select ref, sku, qty, allocated, coalesce(eta::text, ''), first_qty, coalesce(first_eta::text, ''),
			coalesce(revision, -1), coalesce(last_change, '') from batches`),
		query(ctx, tx, &t.Lines, `select orderid, sku, lineid, qty, placed, state::text, coalesce(batchref, '') from lines`),
		query(ctx, tx, &t.Outbox, `select source, row_no, command_offset, event_no, type from outbox order by source, row_no`),
		query(ctx, tx, &t.Letters, `select source, row_no, command_offset, reason, key, value from dead_letters`),
	)
	return t, err
}

func query[T any](ctx context.Context, tx pgx.Tx, into *[]T, sql string) error {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}
	*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	return err
}
