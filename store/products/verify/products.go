package verify

import (
	"context"
	"fmt"

	"allocation/store/verify"
)

type productRow struct {
	SKU                    string
	Version                int64
	Waiting                int64
	Source                 int32
	Row                    int64
	WaitingLines           int64
	Smallest, MaxAvailable int64  // the smallest quantity that waits, and the most that a batch has available; 0: none
	Twice                  *int64 // a placed number that two open lines have
	LastSKU                *string
	LastSequence           *int64
	Lost                   bool // the last event is not there, though older ones of its source are
	HasKey                 bool
}

const productsSQL = `
select p.sku, p.version, p.waiting, p.last_source, p.last_row,
    (select count(*) from lines where sku = p.sku and state = 'waiting'),
    coalesce((select min(qty) from lines where sku = p.sku and state = 'waiting'), 0),
    coalesce((select max(qty - allocated) from batches where sku = p.sku and open), 0),
    (select placed from (
        select placed from lines where sku = p.sku and state = 'waiting'
        union all
        select l.placed from batches b cross join lateral (select placed from lines where batchref = b.ref and state = 'allocated') l where b.sku = p.sku) l
     group by placed having count(*) > 1 limit 1),
    o.key, o.sequence,
    o.row_no is null and exists (select from outbox e where e.source = p.last_source and e.row_no < p.last_row),
    exists (select from product_keys where sku = p.sku)
from (select * from products where sku > $1 and ($2 = '' or sku = $2) order by sku limit $3) p
left join lateral (select * from outbox where source = p.last_source and row_no = p.last_row limit 1) o on true
order by p.sku`

func (c *checks) checkProducts(ctx context.Context) error {
	return verify.Walk(ctx, c.v, "products", productsSQL, func(after *productRow) []any { return []any{after.SKU, c.v.Key()} }, c.checkProduct)
}

func (c *checks) checkProduct(p *productRow) {
	c.summary.Products++
	c.v.ReportIf(p.Waiting != p.WaitingLines, CheckWaiting, p.SKU, "products", p.SKU,
		fmt.Sprintf("waiting %d, its waiting lines", p.WaitingLines), fmt.Sprintf("waiting %d", p.Waiting))
	c.v.ReportIf(p.Smallest > 0 && p.Smallest <= p.MaxAvailable, CheckServed, p.SKU, "lines", "the smallest that waits",
		fmt.Sprintf("more than %d, which a batch has available", p.MaxAvailable), fmt.Sprintf("qty %d", p.Smallest))
	if p.Twice != nil {
		c.v.Report(CheckPlaced, p.SKU, "lines", fmt.Sprintf("placed %d", *p.Twice), "one line", "several open lines")
	}
	c.v.ReportIf(!p.HasKey, CheckKey, p.SKU, "products", p.SKU, "its key in product_keys", "none")
	c.checkLastOfProduct(p)
}

// checkLastOfProduct wants the version to be the sequence of the event that the product points to.
func (c *checks) checkLastOfProduct(p *productRow) {
	pointer := fmt.Sprintf("the event of source %d, row %d, which it points to", p.Source, p.Row)
	switch {
	case p.Lost && !c.v.MayLackRows():
		c.v.Report(CheckVersion, p.SKU, "products", p.SKU, pointer, "there is none")
	case p.LastSKU == nil: // it was dropped with its day
	case *p.LastSKU != p.SKU || p.LastSequence == nil:
		c.v.Report(CheckVersion, p.SKU, "products", p.SKU, pointer+", is one of this product", "it is not")
	case *p.LastSequence != p.Version:
		c.v.Report(CheckVersion, p.SKU, "products", p.SKU, fmt.Sprintf("version %d, the sequence of %s", *p.LastSequence, pointer), fmt.Sprintf("version %d", p.Version))
	}
}
