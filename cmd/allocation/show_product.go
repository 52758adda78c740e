package main

import (
	"context"
	"fmt"

	"allocation/store/products"
)

type showProductCommand struct {
	shown
	limited
	ID string `arg:"" name:"id" help:"The SKU."`
}

func (showProductCommand) Help() string {
	return `Prints batches in the order in which they are taken from, without those of quantity 0, and waiting lines in the order in which they are
served: the first 100 of each, or --limit.

Example:

    allocation show product CHAIR`
}

// Run prints the product.
func (c *showProductCommand) Run(ctx context.Context, p *program) error {
	return viewLimited(ctx, p, c.shown, c.limited, "product", c.ID, products.View.Product, p.printProduct)
}

func (p *program) printProduct(v *products.ProductView) error {
	fmt.Fprintf(p.out, "product %s, version %d: %s batches, %s waiting lines\n\n",
		printable(v.SKU), v.Version, count(v.BatchesTotal), count(v.WaitingTotal))
	if err := p.printBatches(v.Batches, v.BatchesTotal); err != nil {
		return err
	}
	if len(v.Waiting) > 0 {
		fmt.Fprintln(p.out)
		if err := p.printLines(v.Waiting, v.WaitingTotal); err != nil {
			return err
		}
	}
	return p.printHeld(v.Held)
}

// printBatches prints batches as they are now, of which there may be more.
func (p *program) printBatches(batches []products.BatchView, total int64) error {
	t := newTable(p.out, "BATCH", "PRODUCT", "QUANTITY", "ALLOCATED", "AVAILABLE", "LINES", "DUE")
	for _, b := range batches {
		eta := b.ETA
		if eta == "" {
			eta = "in the warehouse"
		}
		t.row(b.Ref, b.SKU, count(b.Qty), count(b.Allocated), count(b.Available), count(b.LinesTotal), eta)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return p.printMore(total - int64(len(batches)))
}
