package verify

import (
	"context"
	"fmt"

	"allocation/store/verify"
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

func (c *checks) checkKeys(ctx context.Context) error {
	if err := c.checkKeysOf(ctx, "product_keys", productKeysSQL); err != nil {
		return err
	}
	return c.checkKeysOf(ctx, "batch_keys", batchKeysSQL)
}

func (c *checks) checkKeysOf(ctx context.Context, table, sql string) error {
	return verify.Walk(ctx, c.v, "keys", sql, func(after *keyRow) []any { return []any{after.Key} }, func(k *keyRow) {
		c.v.ReportIf(k.Rows != 1 && c.v.Wants(k.SKU), CheckKey, k.SKU, table, k.Key, "one row", fmt.Sprintf("%d rows", k.Rows))
	})
}
