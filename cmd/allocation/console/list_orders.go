package console

import (
	"context"

	"allocation/cmd/allocation/list"
	"allocation/cmd/internal/console"
	"allocation/store/products"
)

func (p *pages) orders(ctx context.Context, r *console.Request) (*console.Answer, error) {
	f := &filters{Request: r}
	filter := products.OrderFilter{Prefix: f.text("prefix", "Order begins with", "2030-01-")}
	filter.Waiting = f.tick("waiting", "With lines that wait")
	return kind[products.ListedOrder]{
		title: "Orders", path: "/orders", command: "orders", view: list.Orders,
		columns: []column{{"Order", false}, {"Waiting", true}, {"Allocated", true}, {"Dispatched", true}, {"Cancelled", true}, {"Placed", false}},
		cells:   p.orderCells,
	}.answer(p, f, func(after string, limit int) (products.List[products.ListedOrder], error) {
		return p.view.Orders(ctx, filter, after, limit)
	})
}

func (p *pages) orderCells(o *products.ListedOrder) []cell {
	page := p.Link("/order", "id", o.OrderID)
	return []cell{
		name(o.OrderID, page), number(o.Waiting, page), number(o.Allocated, page), number(o.Dispatched, page), number(o.Cancelled, page), placed(o.PlacedAt),
	}
}
