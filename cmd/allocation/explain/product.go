package explain

import (
	"context"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
	"allocation/store/products"
)

type productCommand struct {
	explain.Shown
	ID    string `arg:"" name:"id" help:"The SKU."`
	Since string `placeholder:"TIME" help:"From the day of this time on, such as 7d or 2026-11-23T00:00:00Z (today)."`
}

func (productCommand) Help() string {
	return `Prints what happened to a product, oldest first, by which commands, and why: the last 100 events, or --limit.

Example:

    allocation explain product CHAIR --since 2d`
}

// Run prints the product.
func (c *productCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	limit, since := c.CheckLimit(problems), problems.Ago("since", c.Since)
	if since.IsZero() {
		since = time.Now()
	}
	return story[products.ProductStory]{
		"product", c.ID,
		func(v products.View) (*products.ProductStory, error) {
			return v.ProductStory(ctx, c.ID, since.UTC().Truncate(24*time.Hour), limit)
		},
		func(s *products.ProductStory) [][]store.EventView { return [][]store.EventView{s.Events} },
		printProduct,
	}.tell(ctx, p, &c.Shown, problems)
}

func batches(n int64) string {
	if n == 1 {
		return "1 batch in use"
	}
	return cli.Count(n) + " batches in use"
}

func printProduct(p *cli.Program, s *products.ProductStory) error {
	fmt.Fprintf(p.Out, "product %s, version %d: %s, %s\n", cli.Printable(s.SKU), s.Version,
		batches(s.BatchesTotal), cli.CountOf(s.WaitingTotal, "waiting line"))
	switch {
	case len(s.Events) == 0:
		fmt.Fprintf(p.Out, "  nothing happened to it since %s\n", cli.When(s.Since))
	case s.Cut:
		fmt.Fprintf(p.Out, "  (events before #%d are left out: see --since, --limit and OUTBOX_RETENTION)\n", s.Events[0].Sequence)
	}
	if err := explain.PrintHistory(p, words, s.Events); err != nil {
		return err
	}
	return printHeld(p, s.Held)
}
