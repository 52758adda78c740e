package products

import (
	"context"
	"fmt"
	"time"
)

// BatchFilter says which batches in use are listed.
type BatchFilter struct {
	SKUs
	Free      bool   // those with stock that no line has
	Arrived   bool   // those in the warehouse
	DueBefore string // those that are on their way and expected before a date; empty: all
}

// ListedBatch is a batch of a list.
type ListedBatch struct {
	Ref       string `json:"ref"`
	SKU       string `json:"sku"`
	Qty       int64  `json:"qty"`
	Allocated int64  `json:"allocated"`
	Available int64  `json:"available"`
	ETA       string `json:"eta,omitempty"` // empty: in the warehouse
}

func (b *ListedBatch) key() string { return writeKey(b.SKU, b.ETA, b.Ref) }

const listBatchesSQL = `
select b.ref, b.sku, b.qty, b.allocated, b.qty - b.allocated, coalesce(b.eta::text, '')
from (%s limit %d) k cross join lateral (select * from batches b where b.sku = k.sku and %s) b
order by k.sku, b.eta nulls first, b.ref limit %s`

// Batches lists batches that are in use, by SKU and in the order in which they are taken from,
// after one.
func (v View) Batches(ctx context.Context, f BatchFilter, after string, limit int) (list List[ListedBatch], err error) {
	var sku, eta, ref string
	parts, err := readKey(after, &sku, &eta, &ref)
	if _, bad := time.Parse(time.DateOnly, eta); err == nil && (parts == 2 || eta != "" && bad != nil) {
		err = ErrKey
	}
	if err != nil {
		return list, err
	}
	var c conditions
	f.narrow(&c, "k.sku")
	switch parts {
	case 1: // all of its batches
		c.add("k.sku > ?", sku)
	case 3:
		c.add("k.sku >= ?", sku)
	}
	keys := `select k.sku from products k where ` + c.String() + ` order by k.sku`
	keyArgs := c.args

	wanted := conditions{args: c.args}
	f.narrowBatches(&wanted)
	if parts == 3 {
		wanted.add("(b.sku, coalesce(b.eta, '-infinity'), b.ref) > (?::text, coalesce(nullif(?, ''), '-infinity')::date, ?::text)", sku, eta, ref)
	}
	sql := fmt.Sprintf(listBatchesSQL, keys, maxLooked, wanted.String(), wanted.arg(limit+1))
	found, err := rows[ListedBatch](ctx, v, sql, wanted.args)
	if err != nil {
		return list, err
	}
	list = cut(found, limit, (*ListedBatch).key)
	if list.Next == "" {
		last, err := v.lookedUpTo(ctx, keys, keyArgs)
		if err != nil {
			return list, err
		}
		if last != "" {
			list.Next = writeKey(last)
		}
	}
	return list, nil
}

func (f *BatchFilter) narrowBatches(c *conditions) {
	c.add("b.qty > 0")
	if f.Free {
		c.add("b.open")
	}
	if f.Arrived {
		c.add("b.eta is null")
	}
	if f.DueBefore != "" {
		c.add("b.eta < ?::text::date", f.DueBefore)
	}
}
