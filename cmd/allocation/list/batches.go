package list

import (
	"cmp"
	"context"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

type batchesCommand struct {
	page
	skus
	Free      bool   `help:"Only those with stock that no line has."`
	Arrived   bool   `xor:"due" help:"Only those in the warehouse."`
	DueBefore string `xor:"due" placeholder:"DATE" help:"Only those that are on their way and due before this date, such as 2026-12-24."`
}

func (batchesCommand) Help() string {
	return `Prints batches by SKU, and those of a product in the order in which they are taken from. Those of quantity 0 are left out. --due-before leaves out
what is in the warehouse: it names what is on its way and late, too.` + aboutPages + `

Examples:

    allocation list batches --sku CHAIR --free
    allocation list batches --due-before 2026-12-24 --json`
}

// Run prints a page.
func (c *batchesCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	if _, err := time.Parse(time.DateOnly, c.DueBefore); c.DueBefore != "" && err != nil {
		problems.Add("due-before", c.DueBefore, "a date such as 2026-12-24")
	}
	filter := products.BatchFilter{SKUs: c.filter(), Free: c.Free, Arrived: c.Arrived, DueBefore: c.DueBefore}
	return show(ctx, p, c.page, problems, Batches, func(v products.View, after string, limit int) (products.List[products.ListedBatch], error) {
		return v.Batches(ctx, filter, after, limit)
	})
}

// Batches is the list of batches in use.
var Batches = View[products.ListedBatch]{
	One: "batch", Many: "batches",
	columns: []string{"BATCH", "PRODUCT", "QUANTITY", "ALLOCATED", "AVAILABLE", "DUE"},
	row: func(b *products.ListedBatch) []string {
		return []string{b.Ref, b.SKU, cli.Count(b.Qty), cli.Count(b.Allocated), cli.Count(b.Available), cmp.Or(b.ETA, "in the warehouse")}
	},
	Totals: func(rows []products.ListedBatch) Totals {
		now := sum(rows, func(b *products.ListedBatch) int64 { return freeIf(b, b.ETA == "") })
		later := sum(rows, func(b *products.ListedBatch) int64 { return freeIf(b, b.ETA != "") })
		return Totals{{"free_now", now, cli.Count(now) + " free now"}, {"free_later", later, cli.Count(later) + " free later"}}
	},
}

func freeIf(b *products.ListedBatch, is bool) int64 {
	if is {
		return b.Available
	}
	return 0
}
