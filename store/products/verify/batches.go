package verify

import (
	"context"
	"fmt"

	"allocation/store/verify"
)

type batchSums struct {
	Ref, SKU       string
	Qty, Allocated int64
	Lines          int64 // the sum of the quantities of its allocated lines
	HasProduct     bool
	HasKey         bool
}

const batchSumsSQL = `
select b.ref, b.sku, b.qty, b.allocated,
    case when $2 in ('', b.sku) then (select coalesce(sum(qty), 0)::bigint from lines where batchref = b.ref and state = 'allocated') else 0 end,
    exists (select from products where sku = b.sku), exists (select from batch_keys where ref = b.ref)
from (select * from batches where ref > $1 order by ref limit $3) b
order by b.ref`

func (c *checks) checkBatches(ctx context.Context) error {
	return verify.Walk(ctx, c.v, "batches", batchSumsSQL, func(after *batchSums) []any { return []any{after.Ref, c.v.Key()} }, c.checkBatch)
}

func (c *checks) checkBatch(b *batchSums) {
	if !c.v.Wants(b.SKU) {
		return
	}
	c.summary.Batches++
	c.v.ReportIf(b.Allocated != b.Lines, CheckAllocated, b.SKU, "batches", b.Ref,
		fmt.Sprintf("allocated %d, the sum of its allocated lines", b.Lines), fmt.Sprintf("allocated %d", b.Allocated))
	c.v.ReportIf(b.Allocated < 0 || b.Allocated > b.Qty, CheckAllocated, b.SKU, "batches", b.Ref,
		fmt.Sprintf("allocated from 0 to qty, %d", b.Qty), fmt.Sprintf("allocated %d", b.Allocated))
	c.v.ReportIf(!b.HasKey, CheckKey, b.SKU, "batches", b.Ref, "its key in batch_keys", "none")
	c.v.ReportIf(!b.HasProduct, CheckProduct, b.SKU, "batches", b.Ref, "a row in products", "none")
}
