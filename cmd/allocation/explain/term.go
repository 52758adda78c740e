package explain

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
	"allocation/store/products"
)

type termCommand struct {
	explain.Shown
	ID string `arg:"" name:"term" help:"An order, a batch, a SKU, the position, id or correlation of a command, an event's ce_id, a dead letter's ID, or a partition."`
}

func (termCommand) Help() string {
	return `Explains whatever has this name, and says what it understood: an order, else a batch, else a product, else a command.

Examples:

    allocation explain o1
    allocation explain term o1`
}

// Run explains the first thing that has the name, and names the others.
func (c *termCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.CheckLimit(problems)
	if err := problems.Err(); err != nil {
		return err
	}
	kinds, err := c.kinds(ctx, p)
	if err != nil {
		return err
	}
	if !c.JSON && len(kinds) > 0 {
		fmt.Fprintf(p.Out, "%s is %s\n\n", cli.Printable(c.ID), a(kinds))
	}
	if len(kinds) == 0 {
		kinds = []string{"command"}
	}
	switch kinds[0] {
	case "order":
		return (&orderCommand{Shown: c.Shown, ID: c.ID}).Run(ctx, p)
	case "batch":
		return (&batchCommand{Shown: c.Shown, ID: c.ID}).Run(ctx, p)
	case "product":
		return (&productCommand{Shown: c.Shown, ID: c.ID}).Run(ctx, p)
	}
	return (&explain.Record{Shown: c.Shown, ID: c.ID, Since: "1h", Words: words}).Run(ctx, p)
}

// a names what a term is, and how to ask for what comes second.
func a(kinds []string) string {
	text := "the name of an order"
	switch kinds[0] {
	case "batch":
		text = "the reference of a batch"
	case "product":
		text = "the SKU of a product"
	}
	if len(kinds) > 1 {
		text += "; there is also a " + strings.Join(kinds[1:], " and a ") + " of this name: allocation explain " + kinds[1]
	}
	return text
}

// kinds are what has the name.
func (c *termCommand) kinds(ctx context.Context, p *cli.Program) (kinds []string, err error) {
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return Kinds(ctx, db, c.ID)
}

// Kinds are what has a name: order, batch, product, in this order.
func Kinds(ctx context.Context, db *store.Store, name string) (kinds []string, err error) {
	view := products.View{Store: db}
	for _, kind := range []struct {
		name string
		look func() error
	}{
		{"order", func() error { _, err := view.Order(ctx, name, 1); return err }},
		{"batch", func() error { _, err := view.Batch(ctx, name, 1); return err }},
		{"product", func() error { _, err := view.Product(ctx, name, 1); return err }},
	} {
		switch err := kind.look(); {
		case err == nil:
			kinds = append(kinds, kind.name)
		case !errors.Is(err, store.ErrUnknown):
			return nil, err
		}
	}
	return kinds, nil
}
