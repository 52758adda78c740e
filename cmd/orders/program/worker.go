package program

import (
	"context"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/service"
	"allocation/domain/order"
	"allocation/store/orders"
)

// workerCommand is the worker of any service, with the settings of this one.
type workerCommand struct {
	service.Command
	CartTime time.Duration `name:"cart-time" env:"CART_TIME" default:"30m" help:"After how long what is in a cart expires. It must be the same for all workers."`
}

// Run runs a worker until the context ends.
func (c *workerCommand) Run(ctx context.Context, p *cli.Program) error {
	if c.CartTime < time.Second {
		problems := p.Problems()
		problems.Add("cart-time", c.CartTime.String(), "a time of at least 1s")
		return problems.Err()
	}
	p.Service = orders.Service(order.Settings{CartTime: c.CartTime})
	return c.Command.Run(ctx, p)
}
