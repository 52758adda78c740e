package console

import (
	"context"
	"errors"
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
		return nil, console.Missing("there is no order %q, and no command about it waits or was refused", id)
	}
	if err != nil {
		return nil, err
	}
	explain := []string{"explain", "order", id}
	if sku != "" {
		explain = append(explain, "--sku="+sku)
	}
	return &console.Answer{
		Title: "Order " + id, Data: story, Refresh: 10 * time.Second,
		Shell: []console.Shell{{Says: "prints this", Command: p.Command(explain...)}},
	}, nil
}
