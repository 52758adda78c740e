package products

import (
	"context"

	"allocation/store"
)

const lockProductsSQL = `
select from products where sku = any(array(select unnest($1::text[]) union select sku from batches where ref = any($2::text[])))
order by sku for no key update`

// lock locks the products of all commands. The order of locks is that of the write, but for the
// table absences, which the write locks before products. So a deadlock is possible; Postgres ends
// it as a conflict.
func (p *aggregate) lock(ctx context.Context, tx *store.Tx) error {
	var skus, refs []string
	for i, c := range p.commands {
		if keys := &p.keys[i]; c != nil {
			skus, refs = append(skus, keys.SKU), append(refs, keys.Batch, keys.Makes)
		}
	}
	return tx.Lock(ctx, lockProductsSQL, skus, refs)
}
