package list

import (
	"context"
	"slices"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

type linesCommand struct {
	page
	skus
	State     []string `placeholder:"STATE,…" help:"waiting (the default), allocated, or both: then those that wait come first."`
	Batch     string   `placeholder:"REF" help:"Only those that have this batch: allocated ones."`
	OlderThan string   `placeholder:"TIME" help:"Only those that were placed before: a time such as 2026-11-23T02:40:07Z, or 2h or 7d ago."`
}

func (linesCommand) Help() string {
	return `Prints lines that wait for stock, those first that were placed first; with --state allocated or --batch, lines that have a batch, by its reference and
then as they were placed. When a line was placed is known since the schema has it: lines of before count as older than any, and PLACED is "not known".` + aboutPages + `

Examples:

    allocation list lines --older-than 2d
    allocation list lines --state waiting,allocated --older-than 2d
    allocation list lines --batch b1 --json`
}

// The states of lines that are listed.
const (
	waiting   = "waiting"
	allocated = "allocated"
)

// Run prints a page.
func (c *linesCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	states := c.State
	switch {
	case len(states) > 0:
	case c.Batch != "":
		states = []string{allocated}
	default:
		states = []string{waiting}
	}
	problems.OneOf("state", states, waiting, allocated)
	if c.Batch != "" && slices.Contains(states, waiting) {
		return cli.Misuse("--batch is about allocated lines: a line that waits has no batch")
	}
	filter := products.LineFilter{SKUs: c.filter(), Batch: c.Batch, Before: problems.Ago("older-than", c.OlderThan)}
	return show(ctx, p, c.page, problems, Lines, func(v products.View, after string, limit int) (products.List[products.ListedLine], error) {
		switch {
		case !slices.Contains(states, allocated):
			return v.WaitingLines(ctx, filter, after, limit)
		case !slices.Contains(states, waiting):
			return v.AllocatedLines(ctx, filter, after, limit)
		}
		return v.UndispatchedLines(ctx, filter, after, limit)
	})
}

// Lines is the list of order lines.
var Lines = View[products.ListedLine]{
	One: "line", Many: "lines",
	columns: []string{"ORDER", "LINE", "PRODUCT", "QUANTITY", "STATE", "BATCH", "PLACED"},
	row: func(l *products.ListedLine) []string {
		return []string{l.OrderID, l.LineID, l.SKU, cli.Count(l.Qty), l.State, l.BatchRef, placed(l.PlacedAt)}
	},
	Totals: func(rows []products.ListedLine) Totals {
		qty := sum(rows, func(l *products.ListedLine) int64 { return l.Qty })
		return Totals{{"qty", qty, "a quantity of " + cli.Count(qty)}}
	},
}

func placed(at *time.Time) string {
	if at == nil {
		return "not known"
	}
	return cli.When(*at)
}
