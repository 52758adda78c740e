package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/console"
	"allocation/store"
	"allocation/store/products"
)

// batch is the page about a batch: its numbers, its lines, and what changed it.
func (p *pages) batch(ctx context.Context, r *console.Request) (*console.Answer, error) {
	ref := r.Required("id")
	limit := r.Number("limit", maxShown, 1, products.MaxPage)
	if err := r.Err(); err != nil {
		return nil, err
	}
	story, err := p.view.BatchStory(ctx, ref, limit)
	if errors.Is(err, store.ErrUnknown) {
		return nil, console.Missing(fmt.Sprintf("there is no batch %q, and no command that waits creates it", ref), p.AsCommand(ref))
	}
	if err != nil {
		return nil, err
	}
	a := &console.Answer{
		Title: "Batch " + ref, Data: story, Refresh: 10 * time.Second,
		Shell: []console.Shell{
			{Says: "prints what changed it", Command: p.Command("explain", "batch", ref)},
			{Says: "prints how it stands, and its lines", Command: p.Command("show", "batch", ref)},
		},
	}
	if !story.ToCome {
		loss := append([]string{"try"}, lossOf(ref, story.SKU)...)
		a.Shell = append(a.Shell, console.Shell{Says: "says which orders lose their goods with it, and where they go; it does nothing", Command: p.Command(loss...)})
	}
	return a, nil
}

// lossOf is the command by which a batch is lost.
func lossOf(ref, sku string) []string {
	return []string{"ChangeBatchQuantity", "batchref=" + ref, "sku=" + sku, "qty=0"}
}

// loss is lossOf as a line of the page that tries commands.
func loss(ref, sku string) string { return cli.Quote(lossOf(ref, sku)...) }
