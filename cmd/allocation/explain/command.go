// Package explain says how an order, a batch, a product or a command came to be as it is.
package explain

import (
	"context"
	"fmt"

	"allocation/cmd/allocation/event"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
	"allocation/store/products"
)

// Command is "explain" on the command line.
type Command struct {
	Order   orderCommand   `cmd:"" help:"Explain an order: what happened to its lines, and why."`
	Batch   batchCommand   `cmd:"" help:"Explain a batch: who changed its quantity and its date."`
	Product productCommand `cmd:"" help:"Explain a product: what happened to it."`
	Command recordCommand  `cmd:"" help:"Explain a command: what became of it."`
	Term    termCommand    `cmd:"" default:"withargs" help:"Explain whatever has this name."`
}

var words = event.Words

// shown are the flags of all that explains one thing.
type shown struct {
	explain.Servers
	Limit string `default:"100" placeholder:"N" help:"Show so many lines or events at most."`
	JSON  bool   `help:"Print JSON."`
}

func (s *shown) limit(problems *config.Problems) int {
	return problems.Integer("limit", s.Limit, 1, 1_000_000)
}

// tell connects, and prints what was found.
func tell[T any](ctx context.Context, p *cli.Program, s *shown, problems *config.Problems, what, id string,
	find func(products.View) (*T, error), print func(*cli.Program, *T) error,
) error {
	if err := problems.Err(); err != nil {
		return err
	}
	return cli.ShowOne(ctx, p, s.Database, s.JSON, fmt.Sprintf("there is no %s %q", what, id),
		func(db *store.Store) (*T, error) { return find(products.View{Store: db}) }, print)
}
