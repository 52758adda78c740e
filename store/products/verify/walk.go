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

// walk reads a table in chunks, in the order of its key. Each chunk has a snapshot of its own, in
// which check is called for each row. A chunk is read with a row to start after; the first one has
// the zero T.
func walk[T any](
	ctx context.Context, v *verifier, doing string,
	chunk func(tx pgx.Tx, after T, limit int) ([]T, error),
	check func(tx pgx.Tx, rows []T) error,
) error {
	var after T
	limit, done := firstChunk, int64(0)
	for {
		began, read := time.Now(), 0
		err := v.db.Snapshot(ctx, func(tx pgx.Tx) error {
			rows, err := chunk(tx, after, limit)
			if err != nil || len(rows) == 0 {
				return err
			}
			read, after = len(rows), rows[len(rows)-1]
			return check(tx, rows)
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
