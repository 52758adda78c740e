package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// planByKey makes Postgres look rows up by their keys, also where it knows too little of a table to
// see that this is faster.
const planByKey = `set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off`

// Snapshot calls read with a transaction that sees the database as it is now and writes nothing. It
// should be short: Postgres keeps deleted rows as long as it lasts.
func (s *Store) Snapshot(ctx context.Context, read func(pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, planByKey); err != nil {
			return err
		}
		return read(tx)
	})
}
