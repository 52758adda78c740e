package products

import (
	"context"
	"fmt"
)

// ProductFilter says which products are listed.
type ProductFilter struct {
	SKUs
	Free    bool // those with stock that no line has
	Waiting bool // those with lines that wait
}

// ListedProduct is a product of a list.
type ListedProduct struct {
	SKU        string `json:"sku"`
	Version    int64  `json:"version"`
	Batches    int64  `json:"batches"`    // in use
	FreeNow    int64  `json:"free_now"`   // available in batches in the warehouse
	FreeLater  int64  `json:"free_later"` // available in batches with an eta
	Waiting    int64  `json:"waiting"`    // lines
	WaitingQty *int64 `json:"waiting_qty,omitempty"`
	Held       bool   `json:"held" db:"-"`
}

// fewWaiting is up to how many lines of a product their quantities are added up.
const fewWaiting = 1000

// Of the products that the first part finds, a page at most, the rest is read.
const listProductsSQL = `
select p.sku, p.version, b.used, b.now, b.later, p.waiting,
    case when p.waiting <= %[3]d then (select coalesce(sum(l.qty), 0)::bigint from lines l where l.sku = p.sku and l.state = 'waiting') end
from (select k.key from (%[1]s limit %[4]d) k where %[5]s limit %[2]s) k join products p on p.sku = k.key
cross join lateral (
    select count(*) filter (where qty > 0) as used, coalesce(sum(qty - allocated) filter (where eta is null), 0)::bigint as now,
        coalesce(sum(qty - allocated) filter (where eta is not null), 0)::bigint as later
    from batches b where b.sku = p.sku) b
order by p.sku`

// Products lists products by SKU, after one.
func (v View) Products(ctx context.Context, f ProductFilter, after string, limit int) (list List[ListedProduct], err error) {
	var c conditions
	keys := f.keys(&c, after)
	keyArgs := c.args
	free := "true"
	if f.Free {
		free = "exists (select from batches b where b.sku = k.key and b.open)"
	}
	sql := fmt.Sprintf(listProductsSQL, keys, c.arg(limit+1), fewWaiting, maxLooked, free)
	found, err := rows[ListedProduct](ctx, v, sql, c.args)
	if err != nil {
		return list, err
	}
	list = cut(found, limit, func(p *ListedProduct) string { return p.SKU })
	if list.Next == "" {
		if list.Next, err = v.lookedUpTo(ctx, keys, keyArgs); err != nil {
			return list, err
		}
	}
	return list, v.markHeld(ctx, list.Rows)
}

// keys is a query of SKUs, in order.
func (f *ProductFilter) keys(c *conditions, after string) string {
	f.narrow(c, "k.sku")
	if after != "" {
		c.add("k.sku > ?", after)
	}
	if f.Waiting {
		c.add("k.state = 'waiting'")
		return c.eachOnce("sku")
	}
	return `select k.sku as key from products k where ` + c.String() + ` order by k.sku`
}

func (v View) markHeld(ctx context.Context, listed []ListedProduct) error {
	skus := make([]string, len(listed))
	for i := range listed {
		skus[i] = listed[i].SKU
	}
	held, err := v.held(ctx, skus...)
	bySKU := map[string]bool{}
	for _, h := range held {
		bySKU[h.SKU] = true
	}
	for i := range listed {
		listed[i].Held = bySKU[listed[i].SKU]
	}
	return err
}
