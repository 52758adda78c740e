package list

import (
	"context"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

type ordersCommand struct {
	page
	Prefix  string `placeholder:"TEXT" help:"Only those whose id begins so. No character is a wildcard."`
	Waiting bool   `help:"Only those with lines that wait."`
}

func (ordersCommand) Help() string {
	return `Prints orders by their ids, with their lines counted by state. PLACED is when the oldest line was; "not known" where one is of before the schema
kept that.` + aboutPages + `

Examples:

    allocation list orders --waiting
    allocation list orders --prefix 2026-11- --json`
}

// Run prints a page.
func (c *ordersCommand) Run(ctx context.Context, p *cli.Program) error {
	filter := products.OrderFilter{Prefix: c.Prefix, Waiting: c.Waiting}
	return show(ctx, p, c.page, p.Problems(), Orders, func(v products.View, after string, limit int) (products.List[products.ListedOrder], error) {
		return v.Orders(ctx, filter, after, limit)
	})
}

// Orders is the list of orders.
var Orders = View[products.ListedOrder]{
	One: "order", Many: "orders",
	columns: []string{"ORDER", "WAITING", "ALLOCATED", "DISPATCHED", "CANCELLED", "PLACED"},
	row: func(o *products.ListedOrder) []string {
		return []string{o.OrderID, cli.Count(o.Waiting), cli.Count(o.Allocated), cli.Count(o.Dispatched), cli.Count(o.Cancelled), placed(o.PlacedAt)}
	},
	Totals: func(rows []products.ListedOrder) Totals {
		n := sum(rows, func(o *products.ListedOrder) int64 { return o.Waiting })
		return Totals{{"waiting", n, cli.CountOf(n, "waiting line")}}
	},
}
