package program

import (
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/domain/warehouse"
	store "allocation/store/warehouse"
)

// ledgerCommand is "ledger" on the command line.
type ledgerCommand struct {
	config.Database
	SKU  []string `arg:"" optional:"" help:"Only these articles."`
	JSON bool     `help:"Print JSON, a line for each article."`
}

// Help is what --help adds.
func (ledgerCommand) Help() string {
	return `Prints each batch of which something is left: what was received and lost, what left, what is picked, and what is on the shelf. The last line of an
article adds up the batches of which nothing is left.

At stock, a batch has what was received without what was lost, less what was dispatched of it. What was lost is what stock was told with the revision
that it has of the batch: "told" in JSON.

Examples:

    ${program} ledger
    ${program} ledger CHAIR --json`
}

// Run prints the ledgers.
func (c *ledgerCommand) Run(ctx context.Context, p *cli.Program) error {
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	articles, err := store.Articles(ctx, db, c.SKU...)
	switch {
	case err != nil:
		return err
	case len(c.SKU) > 0 && len(articles) == 0:
		return fmt.Errorf("there is no ledger of %q", c.SKU)
	case c.JSON:
		for i := range articles {
			if err := p.PrintJSON(&articles[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return printLedgers(p, articles)
}

func printLedgers(p *cli.Program, articles []store.Article) error {
	t := cli.NewTable(p.Out, "SKU", "BATCH", "RECEIVED", "LOST", "SHIPPED", "PICKED", "SHELF", "DUE")
	for i := range articles {
		a := &articles[i]
		for j := range a.Batches {
			b := &a.Batches[j]
			t.Row(append(append([]string{a.SKU, b.Ref}, counts(b)...), b.ETA)...)
		}
		if o := a.Over; o.Batches > 0 {
			sum := warehouse.Batch{Received: o.Received, Lost: o.Lost, Shipped: o.Shipped}
			t.Row(append([]string{a.SKU, fmt.Sprintf("(%d are over)", o.Batches)}, counts(&sum)...)...)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := range articles {
		if a := &articles[i]; a.Missed > 0 {
			fmt.Fprintf(p.Out, "%s: %s events of stock never came, so this may be wrong: see EventsMissed in docs/warehouse.md\n", a.SKU, cli.Count(a.Missed))
		}
	}
	return nil
}

func counts(b *warehouse.Batch) (cells []string) {
	for _, n := range []int64{b.Received, b.Lost, b.Shipped, b.Picked, b.Shelf()} {
		cells = append(cells, cli.Count(n))
	}
	return cells
}
