// Package tail prints events as they come.
package tail

import (
	"context"

	"allocation/cmd/allocation/event"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/cloudevent"
	"allocation/cmd/internal/operate/tail"
	"allocation/domain/product"
)

// Command is "tail" on the command line.
type Command struct {
	tail.Command
	Order string `placeholder:"ID" help:"Only events of this order."`
}

// Run prints events until the context ends.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	c.Words = event.Words
	if c.Order != "" {
		c.Wants = c.isOfOrder
	}
	return c.Command.Run(ctx, p)
}

func (c *Command) isOfOrder(e *cloudevent.Event) bool {
	d, _ := product.ReadEventData(e.Data) // what cannot be read is of no order
	return d.OrderID == c.Order
}
