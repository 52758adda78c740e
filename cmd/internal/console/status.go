package console

import (
	"context"
	"time"

	"allocation/cmd/internal/operate/status"
)

// needsPage is the page that shows more of what needs a person; empty: none does.
func needsPage(what string) string {
	switch what {
	case "held", "dead_letters":
		return "/letters"
	case "partitions", "workers":
		return "/partitions"
	}
	return ""
}

// status is the page that says how the service is, and what needs a person.
func (c *Console) status(ctx context.Context, r *Request) (*Answer, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	s, err := status.Read(ctx, c.Program, c.Store, c.client, c.Kafka)
	if err != nil {
		return nil, err
	}
	page := &FrontPage{Status: s}
	if section := c.Product.Section; section != nil {
		if page.Section, err = section.Read(ctx, c); err != nil {
			return nil, err
		}
	}
	return &Answer{
		Title: "Status", Data: page, Refresh: 10 * time.Second,
		Shell: []Shell{{"prints this", c.Command("status")}},
	}, nil
}
