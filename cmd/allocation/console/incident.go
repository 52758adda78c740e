package console

import (
	"context"
	"errors"
	"fmt"

	"allocation/cmd/allocation/export"
	"allocation/cmd/internal/console"
	"allocation/store"
)

// incident is what export writes, without identifiers.
func (p *pages) incident(ctx context.Context, r *console.Request) (*console.File, error) {
	id := r.Required("id")
	if err := r.Err(); err != nil {
		return nil, err
	}
	file, err := export.Open(ctx, p.view, id)
	if errors.Is(err, store.ErrUnknown) {
		return nil, console.Missing(fmt.Sprintf("nothing is kept of a product or an order %q", id))
	}
	if err != nil {
		return nil, err
	}
	return &console.File{Name: "incident.json", Write: file.Write}, nil
}

func (p *pages) incidentOf(id string) *console.FileLink {
	return &console.FileLink{Says: "As an incident that can be replayed", Link: p.Link("/api/v1/incident", "id", id)}
}
