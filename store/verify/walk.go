package verify

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bounds of a chunk. A snapshot should last milliseconds, so a chunk that takes long makes the next
// one smaller, and a quick one larger.
const (
	firstChunk = 100
	maxRows    = 2000
	slow       = 40 * time.Millisecond
	quick      = 10 * time.Millisecond
)

// inSnapshot calls read with a snapshot of the database.
type inSnapshot func(ctx context.Context, read func(pgx.Tx) error) error

// Walk reads a table in chunks, in the order of its key, and checks each row. Each chunk has a
// snapshot of its own. The query's last argument is how many rows it may give; the others, which
// args gives, say after which row it begins. The first chunk begins after the zero T.
func Walk[T any](ctx context.Context, v *Verifier, doing, sql string, args func(after *T) []any, check func(*T)) error {
	return walk(ctx, v, v.db.Snapshot, doing, sql, args, check)
}

func walk[T any](ctx context.Context, v *Verifier, in inSnapshot, doing, sql string, args func(after *T) []any, check func(*T)) error {
	var after T
	limit, done := firstChunk, int64(0)
	for {
		began, read := time.Now(), 0
		err := in(ctx, func(tx pgx.Tx) error {
			rows, err := collect[T](ctx, tx, sql, append(args(&after), limit)...)
			if err != nil || len(rows) == 0 {
				return err
			}
			read, after = len(rows), rows[len(rows)-1]
			for i := 0; i < len(rows) && v.failed == nil; i++ {
				check(&rows[i])
			}
			return v.failed
		})
		if err != nil || read == 0 {
			return err
		}
		done += int64(read)
		v.o.Progress(doing, done)
		limit = adjust(limit, time.Since(began))
	}
}

func adjust(limit int, took time.Duration) int {
	switch {
	case took > slow:
		return max(1, limit/2)
	case took < quick:
		return min(maxRows, limit*2)
	}
	return limit
}

// rowAfter is the number of the row of the outbox that a chunk begins after: rows count from 0, and
// sources from 1.
func rowAfter(source int32, row int64) int64 {
	if source == 0 {
		return -1
	}
	return row
}

// collect is a query whose rows are read at once: a chunk.
func collect[T any](ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]T, error) {
	rows, _ := tx.Query(ctx, sql, args...) // its error is that of the rows, too
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// column reads one column in a snapshot of its own.
func column[T any](ctx context.Context, v *Verifier, sql string) (values []T, err error) {
	err = v.db.Snapshot(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sql) // as above
		values, err = pgx.CollectRows(rows, pgx.RowTo[T])
		return err
	})
	return values, err
}
