// Package show prints what the database knows about an order, a product or a batch.
package show

import (
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
	"allocation/store/products"
)

// Command is "show" on the command line.
type Command struct {
	Order   orderCommand   `cmd:"" help:"Print an order's lines."`
	Product productCommand `cmd:"" help:"Print a product's batches and its waiting lines."`
	Batch   batchCommand   `cmd:"" help:"Print a batch and the lines allocated to it."`
}

// shown are the flags of all that prints one thing.
type shown struct {
	config.Database
	Limit string `default:"100" placeholder:"N" help:"Print so many of each list at most. The totals count all."`
	JSON  bool   `help:"Print JSON."`
}

// view connects, looks at the database once, and prints what was found.
func view[T any](
	ctx context.Context, p *cli.Program, s shown, what, id string,
	look func(products.View, context.Context, string, int) (*T, error), print func(*cli.Program, *T) error,
) error {
	problems := p.Problems()
	limit := problems.Integer("limit", s.Limit, 1, 100_000_000)
	if err := problems.Err(); err != nil {
		return err
	}
	return cli.ShowOne(ctx, p, s.Database, s.JSON, fmt.Sprintf("there is no %s %q%s", what, id, elsewhere[what]),
		func(db *store.Store) (*T, error) { return look(products.View{Store: db}, ctx, id, limit) }, print)
}

// elsewhere says where to look for what is not there.
var elsewhere = map[string]string{
	"batch":   " (if its command was refused, it is a dead letter: see allocation dlq list)",
	"product": " (if its commands were refused, they are dead letters: see allocation dlq list --sku)",
}
