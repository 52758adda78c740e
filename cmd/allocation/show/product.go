package show

import (
	"cmp"
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

type productCommand struct {
	shown
	ID string `arg:"" name:"id" help:"The SKU."`
}

func (productCommand) Help() string {
	return `Prints batches in the order in which they are taken from, without those of quantity 0, and waiting lines in the order in which they are
served: the first 100 of each, or --limit.

Example:

    allocation show product CHAIR`
}

// Run prints the product.
func (c *productCommand) Run(ctx context.Context, p *cli.Program) error {
	return view(ctx, p, c.shown, "product", c.ID, products.View.Product, printProduct)
}

func printProduct(p *cli.Program, v *products.ProductView) error {
	fmt.Fprintf(p.Out, "product %s, version %d: %s batches, %s waiting lines\n\n",
		cli.Printable(v.SKU), v.Version, cli.Count(v.BatchesTotal), cli.Count(v.WaitingTotal))
	if err := printBatches(p, v.Batches, v.BatchesTotal); err != nil {
		return err
	}
	if len(v.Waiting) > 0 {
		fmt.Fprintln(p.Out)
		if err := printLines(p, v.Waiting, v.WaitingTotal); err != nil {
			return err
		}
	}
	return printHeld(p, v.Held)
}

// printBatches prints batches as they are now, of which there may be more.
func printBatches(p *cli.Program, batches []products.BatchView, total int64) error {
	columns := []string{"BATCH", "PRODUCT", "QUANTITY", "ALLOCATED", "AVAILABLE", "LINES", "DUE"}
	return cli.PrintTable(p, columns, batches, total, func(b *products.BatchView) []string {
		due := cmp.Or(b.ETA, "in the warehouse")
		return []string{b.Ref, b.SKU, cli.Count(b.Qty), cli.Count(b.Allocated), cli.Count(b.Available), cli.Count(b.LinesTotal), due}
	})
}
