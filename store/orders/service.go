package orders

import (
	"fmt"

	"allocation/domain/order"
	"allocation/migrations"
	"allocation/store"
)

// TypePrefix stands before the names of commands and events.
const TypePrefix = "orders.v1."

// Service keeps customers' orders.
func Service(settings order.Settings) store.Service {
	return store.Service{
		Name:       "orders",
		TypePrefix: TypePrefix,
		Aggregate:  func() store.Aggregate { return &aggregate{settings: settings} },
		Line:       &migrations.Orders,
		Table:      "customers",
		Rows: map[string]string{
			"customers":     `select 'customer ' || id, id from customers where ctid = $1::text::tid`,
			"orders":        `select 'order ' || id, split_part(id, '.', 1) from orders where ctid = $1::text::tid`,
			"order_lines":   `select 'a line of order ' || order_id, split_part(order_id, '.', 1) from order_lines where ctid = $1::text::tid`,
			"early_facts":   `select 'an event of stock about order ' || order_id, split_part(order_id, '.', 1) from early_facts where ctid = $1::text::tid`,
			"stock_batches": `select 'batch ' || ref, '` + batchKey("") + `' || ref from stock_batches where ctid = $1::text::tid`,
		},
		Waiting: &store.Waiting{
			One: "waiting order", Name: "waiting_orders", Help: "Placed orders that wait for goods.",
			SQL: `select (select count(*) from (select from orders where phase = 'placed' limit $1) o), (select min(placed_at) from orders where phase = 'placed')`,
		},
		Due: &store.Due{
			Command: "ExpireCart",
			SQL: fmt.Sprintf(`
select counts_from + d.after, split_part(id, '.', 1), id, json_build_object('customerid', split_part(id, '.', 1), 'cartid', id)::text
from orders, (select interval '%d milliseconds' as after) d
where phase = 'cart' and not exists (select from held_keys where key = split_part(id, '.', 1)) and counts_from <= $1::timestamptz - d.after and (counts_from, id) > ($2::timestamptz - d.after, $3)
order by counts_from, id limit $4`, settings.CartTime.Milliseconds()),
		},
	}
}

// batchKey is the key of what is about a batch. No customer is called so: their names have no dot.
func batchKey(ref string) string { return "batch." + ref }

// keyOf is the key of a command or a fact.
func keyOf(k order.Keys) string {
	if k.CustomerID != "" {
		return k.CustomerID
	}
	return batchKey(k.Batch)
}
