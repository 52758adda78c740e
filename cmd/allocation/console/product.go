package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"allocation/cmd/internal/console"
	"allocation/store"
	"allocation/store/products"
)

// product is the page about a product: its batches, what waits, and what happened to it.
func (p *pages) product(ctx context.Context, r *console.Request) (*console.Answer, error) {
	sku := r.Required("id")
	since := r.Ago("since")
	limit := r.Number("limit", maxShown, 1, products.MaxPage)
	if err := r.Err(); err != nil {
		return nil, err
	}
	if since.IsZero() {
		since = time.Now()
	}
	story, err := p.view.ProductStory(ctx, sku, since.UTC().Truncate(24*time.Hour), limit)
	if errors.Is(err, store.ErrUnknown) {
		return nil, console.Missing(fmt.Sprintf("there is no product %q", sku),
			console.FailureLink{Says: "see the products that begin so", Link: p.Link("/products", "sku-prefix", sku)}, p.AsCommand(sku))
	}
	if err != nil {
		return nil, err
	}
	a := &console.Answer{
		Title: "Product " + sku, Data: story, Refresh: 10 * time.Second, File: p.incidentOf(sku),
		Shell: []console.Shell{
			{Says: "prints what happened to it", Command: p.Command("explain", "product", sku)},
			{Says: "prints how it stands", Command: p.Command("show", "product", sku)},
			{Says: "checks it against its own events", Command: p.Command("verify", "--sku="+sku)},
			{Says: "writes all that is kept of it as a file, without identifiers, which allocation replay decides again", Command: p.Command("export", sku) + " > incident.json"},
		},
	}
	for _, h := range story.Held {
		a.Shell = append(a.Shell, p.Decide(&store.Letter{ID: h.Letter, State: h.State, Holds: h.SKU})...)
	}
	return a, nil
}

// bars draw a batch: what is allocated of it, and what is available, beside the
// largest of all.
type bars struct{ Part, Rest string }

func barsOf(batch products.BatchView, all []products.BatchView) bars {
	largest := max(batch.Qty, 1)
	for i := range all {
		largest = max(largest, all[i].Qty)
	}
	percent := func(n int64) string { return fmt.Sprintf("%.2f%%", 100*float64(n)/float64(largest)) }
	return bars{percent(batch.Allocated), percent(batch.Qty)}
}

// mostOf is the batch that has most available, the first in preference; nil where none has
// anything.
func mostOf(all []products.BatchView) (most *products.BatchView) {
	for i := range all {
		if b := &all[i]; b.Available > 0 && (most == nil || b.Available > most.Available) {
			most = b
		}
	}
	return most
}
