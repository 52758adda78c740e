package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

const (
	lockPositionsSQL = `select from positions where source = any($1::int[]) order by source for no key update`

	lockProductsSQL = `
select from products where sku = any(array(select unnest($1::text[]) union select sku from batches where ref = any($2::text[])))
order by sku for no key update`
)

// lockFirst begins the transaction before anything is read, and locks what save would lock, so that
// nobody else can be first any more. Who wants the same products waits for as long as it takes to
// load, decide and write; who waits for a process that stands still meanwhile ends its session.
//
// The order of locks is save's, but for the table absences, which save locks before products. So a
// deadlock is possible; Postgres ends it as a conflict.
func (s *Store) lockFirst(ctx context.Context, conn *pgx.Conn, d *decisions) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sources := make([]int32, len(d.batch.Lanes))
	for i, lane := range d.batch.Lanes {
		sources[i] = lane.Source.ID
	}
	var skus, refs []string
	for _, c := range d.commands {
		if c != nil {
			keys := c.Keys()
			skus, refs = append(skus, keys.SKU), append(refs, keys.Batch, keys.Makes)
		}
	}
	_, err := conn.Exec(ctx, `begin isolation level read committed`)
	if err == nil {
		_, err = conn.Exec(ctx, lockPositionsSQL, sources)
	}
	if err == nil {
		_, err = conn.Exec(ctx, lockProductsSQL, skus, refs)
	}
	return readError("lock", err)
}
