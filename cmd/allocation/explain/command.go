// Package explain says how an order, a batch, a product or a command came to be as it is.
package explain

import (
	"context"
	"errors"
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
	Command explain.Record `cmd:"" help:"Explain a command: what became of it."`
	Term    termCommand    `cmd:"" default:"withargs" help:"Explain whatever has this name."`
}

var words = event.Words

// story is what happened to one thing.
type story[T any] struct {
	what, id string
	find     func(products.View) (*T, error)
	events   func(*T) [][]store.EventView
	print    func(*cli.Program, *T) error
}

// tell connects, and prints what was found.
func (t story[T]) tell(ctx context.Context, p *cli.Program, s *explain.Shown, problems *config.Problems) error {
	if err := problems.Err(); err != nil {
		return err
	}
	var looked *explain.Looked
	return cli.ShowOne(ctx, p, s.Database, s.JSON, fmt.Sprintf("there is no %s %q", t.what, t.id),
		func(db *store.Store) (*T, error) {
			found, err := t.find(products.View{Store: db})
			if err == nil {
				looked, err = s.InKafka.Find(ctx, p, db, s.Kafka, explain.Pointers(t.events(found)))
			}
			return found, err
		},
		func(p *cli.Program, found *T) error { return errors.Join(t.print(p, found), looked.Print(p)) })
}
