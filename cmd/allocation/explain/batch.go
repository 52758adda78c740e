package explain

import (
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
	"allocation/store/products"
)

type batchCommand struct {
	explain.Shown
	ID string `arg:"" name:"id" help:"The batch's reference."`
}

func (batchCommand) Help() string {
	return `Prints what changed a batch's quantity and date, oldest first, by which commands, and with what effect on lines.

Example:

    allocation explain batch b1`
}

// Run prints the batch.
func (c *batchCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	limit := c.CheckLimit(problems)
	return story[products.BatchStory]{
		"batch", c.ID,
		func(v products.View) (*products.BatchStory, error) { return v.BatchStory(ctx, c.ID, limit) },
		func(b *products.BatchStory) [][]store.EventView { return [][]store.EventView{b.Events} },
		printBatch,
	}.tell(ctx, p, &c.Shown, problems)
}

func printBatch(p *cli.Program, b *products.BatchStory) error {
	if b.ToCome {
		fmt.Fprintf(p.Out, "there is no batch %s yet: its command waits behind the held product %s\n", cli.Printable(b.Ref), cli.Printable(b.SKU))
		return printHeld(p, b.Held)
	}
	fmt.Fprintf(p.Out, "%s\n", cli.Printable(fmt.Sprintf("batch %s of %s, %s: %s, of which %s are allocated to %s, and %s available", b.Ref, b.SKU, due(b.ETA),
		cli.Count(b.Qty), cli.Count(b.Allocated), cli.CountOf(b.LinesTotal, "line"), cli.Count(b.Available))))
	if b.Cut {
		fmt.Fprintln(p.Out, "  (older events are not in the database: see OUTBOX_RETENTION)")
	}
	if err := explain.PrintHistory(p, words, b.Events); err != nil {
		return err
	}
	return printHeld(p, b.Held)
}
