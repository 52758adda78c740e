package show

import (
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

type batchCommand struct {
	shown
	ID string `arg:"" name:"id" help:"The batch's reference."`
}

func (batchCommand) Help() string {
	return `Prints a batch and the lines allocated to it, in placed order: the first 100 of them, or --limit.

Examples:

    allocation show batch b1
    allocation show batch b1 --limit 1000000 --json`
}

// Run prints the batch.
func (c *batchCommand) Run(ctx context.Context, p *cli.Program) error {
	return view(ctx, p, c.shown, "batch", c.ID, products.View.Batch, printBatch)
}

func printBatch(p *cli.Program, b *products.BatchView) error {
	if b.ToCome {
		fmt.Fprintf(p.Out, "there is no batch %s yet: its command waits behind the held product %s\n", cli.Printable(b.Ref), cli.Printable(b.SKU))
		return printHeld(p, b.Held)
	}
	if err := printBatches(p, []products.BatchView{*b}, 1); err != nil {
		return err
	}
	if len(b.Lines) > 0 {
		fmt.Fprintln(p.Out)
		if err := printLines(p, b.Lines, b.LinesTotal); err != nil {
			return err
		}
	}
	return printHeld(p, b.Held)
}
