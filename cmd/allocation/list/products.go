package list

import (
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

type productsCommand struct {
	page
	SKUPrefix string `name:"sku-prefix" placeholder:"TEXT" help:"Only those whose SKU begins so. No character is a wildcard."`
	Free      bool   `help:"Only those with stock that no line has."`
	Waiting   bool   `help:"Only those with lines that wait."`
}

func (productsCommand) Help() string {
	return `Prints products by SKU. BATCHES are those in use. FREE NOW is what is available in batches in the warehouse, FREE LATER in batches that are on
their way. WAITING counts lines, and QUANTITY adds theirs up, where they are 1,000 at most. HELD products wait behind a dead letter.` + aboutPages + `

Examples:

    allocation list products --waiting
    allocation list products --sku-prefix CHAIR- --free --json`
}

// Run prints a page.
func (c *productsCommand) Run(ctx context.Context, p *cli.Program) error {
	filter := products.ProductFilter{SKUs: products.SKUs{Prefix: c.SKUPrefix}, Free: c.Free, Waiting: c.Waiting}
	return show(ctx, p, c.page, p.Problems(), Products, func(v products.View, after string, limit int) (products.List[products.ListedProduct], error) {
		return v.Products(ctx, filter, after, limit)
	})
}

// Products is the list of products.
var Products = View[products.ListedProduct]{
	One: "product", Many: "products",
	columns: []string{"PRODUCT", "VERSION", "BATCHES", "FREE NOW", "FREE LATER", "WAITING", "QUANTITY", "HELD"},
	row: func(l *products.ListedProduct) []string {
		qty, held := "", ""
		if l.WaitingQty != nil {
			qty = cli.Count(*l.WaitingQty)
		}
		if l.Held {
			held = "held"
		}
		return []string{l.SKU, fmt.Sprint(l.Version), cli.Count(l.Batches), cli.Count(l.FreeNow), cli.Count(l.FreeLater), cli.Count(l.Waiting), qty, held}
	},
	Totals: func(rows []products.ListedProduct) Totals {
		now := sum(rows, func(l *products.ListedProduct) int64 { return l.FreeNow })
		later := sum(rows, func(l *products.ListedProduct) int64 { return l.FreeLater })
		waiting := sum(rows, func(l *products.ListedProduct) int64 { return l.Waiting })
		return Totals{
			{"free_now", now, cli.Count(now) + " free now"}, {"free_later", later, cli.Count(later) + " free later"},
			{"waiting", waiting, cli.CountOf(waiting, "waiting line")},
		}
	},
}
