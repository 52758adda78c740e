package verify

import (
	"context"
	"fmt"
)

// keyRow is a key that must have one row. That a row has its key is checked with the row.
type keyRow struct {
	Key, SKU string
	Rows     int64
}

const (
	productKeysSQL = `
select k.sku, k.sku, p.n
from (select sku from product_keys where sku > $1 order by sku limit $2) k
cross join lateral (select count(*) as n from products where sku = k.sku) p
order by k.sku`

	batchKeysSQL = `
select k.ref, coalesce(b.sku, ''), b.n
from (select ref from batch_keys where ref > $1 order by ref limit $2) k
cross join lateral (select count(*) as n, min(sku) as sku from batches where ref = k.ref) b
order by k.ref`
)

func (v *verifier) checkKeys(ctx context.Context) error {
	if err := v.checkKeysOf(ctx, "product_keys", productKeysSQL); err != nil {
		return err
	}
	return v.checkKeysOf(ctx, "batch_keys", batchKeysSQL)
}

func (v *verifier) checkKeysOf(ctx context.Context, table, sql string) error {
	return walk(ctx, v, v.db.Snapshot, "keys", sql, func(after *keyRow) []any { return []any{after.Key} }, func(k *keyRow) {
		v.reportIf(k.Rows != 1 && v.wants(k.SKU), CheckKey, k.SKU, table, k.Key, "one row", fmt.Sprintf("%d rows", k.Rows))
	})
}
