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

// order is the page about an order: how each of its lines came to be as it is.
func (p *pages) order(ctx context.Context, r *console.Request) (*console.Answer, error) {
	id := r.Required("id")
	sku := r.Text("sku")
	limit := r.Number("limit", maxShown, 1, products.MaxPage)
	if err := r.Err(); err != nil {
		return nil, err
	}
	story, err := p.view.OrderStory(ctx, id, sku, limit)
	if errors.Is(err, store.ErrUnknown) {
		return nil, console.Missing(fmt.Sprintf("there is no order %q, and no command about it waits or was refused", id),
			console.FailureLink{Says: "see the orders that begin so", Link: p.Link("/orders", "prefix", id)}, p.AsCommand(id))
	}
	if err != nil {
		return nil, err
	}
	explain := []string{"explain", "order", id}
	if sku != "" {
		explain = append(explain, "--sku="+sku)
	}
	return &console.Answer{
		Title: "Order " + id, Data: story, Refresh: 10 * time.Second, File: p.incidentOf(id),
		Shell: []console.Shell{
			{Says: "prints this", Command: p.Command(explain...)},
			{Says: "says also where each event is in Kafka, and how often", Command: p.Command(append(explain, "--kafka")...)},
			{Says: "writes what happened to its products since as a file, without identifiers, which allocation replay decides again", Command: p.Command("export", id) + " > incident.json"},
		},
	}, nil
}
