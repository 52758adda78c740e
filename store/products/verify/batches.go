package verify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
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
    case when $3 in ('', b.sku) then (select coalesce(sum(qty), 0)::bigint from lines where batchref = b.ref and state = 'allocated') else 0 end,
    exists (select from products where sku = b.sku), exists (select from batch_keys where ref = b.ref)
from (select * from batches where ref > $1 order by ref limit $2) b
order by b.ref`

func (v *verifier) checkBatches(ctx context.Context) error {
	chunk := func(tx pgx.Tx, after batchSums, limit int) ([]batchSums, error) {
		return collect[batchSums](ctx, tx, batchSumsSQL, after.Ref, limit, v.o.SKU)
	}
	return walk(ctx, v, "batches", chunk, func(_ pgx.Tx, rows []batchSums) error {
		for i := range rows {
			if err := v.checkBatch(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *verifier) checkBatch(b *batchSums) error {
	if !v.wants(b.SKU) {
		return nil
	}
	v.summary.Batches++
	if b.Allocated != b.Lines {
		if err := v.report(CheckAllocated, b.SKU, "batches", b.Ref, fmt.Sprintf("allocated %d, the sum of its allocated lines", b.Lines), fmt.Sprintf("allocated %d", b.Allocated)); err != nil {
			return err
		}
	}
	if b.Allocated < 0 || b.Allocated > b.Qty {
		if err := v.report(CheckAllocated, b.SKU, "batches", b.Ref, fmt.Sprintf("allocated from 0 to qty, %d", b.Qty), fmt.Sprintf("allocated %d", b.Allocated)); err != nil {
			return err
		}
	}
	if err := v.reportIf(!b.HasKey, CheckKey, b.SKU, "batches", b.Ref, "its key in batch_keys", "none"); err != nil {
		return err
	}
	return v.reportIf(!b.HasProduct, CheckProduct, b.SKU, "batches", b.Ref, "a row in products", "none")
}
