package products

import (
	"context"
	"fmt"
	"time"
)

// OrderFilter says which orders are listed.
type OrderFilter struct {
	Prefix  string // of orders, byte for byte
	Waiting bool   // those with lines that wait
}

// ListedOrder is an order of a list, with its lines counted by state.
type ListedOrder struct {
	OrderID    string     `json:"orderid"`
	Waiting    int64      `json:"waiting"`
	Allocated  int64      `json:"allocated"`
	Dispatched int64      `json:"dispatched"`
	Cancelled  int64      `json:"cancelled"`
	PlacedAt   *time.Time `json:"placed_at,omitempty"` // its oldest line; null: that is not known, it is older than the column
}

const listOrdersSQL = `
select k.key, l.waiting, l.allocated, l.dispatched, l.cancelled, l.placed_at
from (%s limit %s) k
cross join lateral (
    select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'allocated') as allocated,
        count(*) filter (where state = 'dispatched') as dispatched, count(*) filter (where state = 'cancelled') as cancelled,
        case when count(*) = count(placed_at) then min(placed_at) end as placed_at
    from lines l where l.orderid = k.key) l
order by k.key`

// Orders lists orders by their ids, after one.
func (v View) Orders(ctx context.Context, f OrderFilter, after string, limit int) (list List[ListedOrder], err error) {
	var c conditions
	c.addPrefix("k.orderid", f.Prefix)
	if after != "" {
		c.add("k.orderid > ?", after)
	}
	keys, next := c.eachOnce("orderid"), ""
	if f.Waiting {
		if next, err = v.waitingOrders(ctx, &c); err != nil {
			return list, err
		}
		keys = `select distinct k.orderid as key from lines k where ` + c.String() + ` order by 1`
	}
	found, err := rows[ListedOrder](ctx, v, fmt.Sprintf(listOrdersSQL, keys, c.arg(limit+1)), c.args)
	list = cut(found, limit, func(o *ListedOrder) string { return o.OrderID })
	if list.Next == "" {
		list.Next = next
	}
	return list, err
}

// waitingOrders adds to the conditions of a list that lines wait. No index has those by order: a
// few are sorted, and among many a page looks at the next orders only. It says which is the last of
// these, where there are more.
func (v View) waitingOrders(ctx context.Context, c *conditions) (last string, err error) {
	isFew, err := v.areFew(ctx, `select from lines where state = 'waiting'`, nil)
	if err == nil && !isFew {
		last, err = v.lookedUpTo(ctx, `select k.orderid from lines k where `+c.String()+` order by k.orderid`, c.args)
	}
	if last != "" {
		c.add("k.orderid <= ?", last)
	}
	c.add("k.state = 'waiting'")
	return last, err
}
