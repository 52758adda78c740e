package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
	"allocation/store/products"
)

// usualSince is how far back an id is looked for, as by explain command.
const usualSince = "1h"

type termCommand struct {
	explain.Shown
	ID string `arg:"" name:"term" help:"An order, a batch, a SKU, the position, id or correlation of a command, an event's ce_id, a dead letter's ID, or a partition."`

	SKU       string `name:"sku" help:"Of an order: its lines of this product only."`
	Since     string `placeholder:"TIME" help:"Of a product: from the day of this time on (today). Of a command: look for an id so far back where days have no index yet, and in topics (1h)."`
	FromTopic bool   `help:"Of a command: look for an id in the command topics, too."`
}

func (termCommand) Help() string {
	return `Explains whatever has this name, and says what it understood: an order, else a batch, else a product, else a command.
A flag that is not for what it understood is refused.

Examples:

    allocation explain o1
    allocation explain CHAIR --since 2d
    allocation explain term o1`
}

// Run explains the first thing that has the name, and names the others.
func (c *termCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.CheckLimit(problems)
	problems.Ago("since", c.Since)
	if err := problems.Err(); err != nil {
		return err
	}
	kinds, err := c.kinds(ctx, p)
	if err != nil {
		return err
	}
	if err := c.fit(kinds); err != nil {
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
		return (&orderCommand{Shown: c.Shown, ID: c.ID, SKU: c.SKU}).Run(ctx, p)
	case "batch":
		return (&batchCommand{Shown: c.Shown, ID: c.ID}).Run(ctx, p)
	case "product":
		return (&productCommand{Shown: c.Shown, ID: c.ID, Since: c.Since}).Run(ctx, p)
	}
	return (&explain.Record{Shown: c.Shown, ID: c.ID, Since: cmp.Or(c.Since, usualSince), FromTopic: c.FromTopic, Words: words}).Run(ctx, p)
}

// fit refuses flags that are not for what the term is.
func (c *termCommand) fit(kinds []string) error {
	kind, is := "command", "the name of no order, batch or product, so it was taken for a command"
	if len(kinds) > 0 {
		kind, is = kinds[0], a(kinds)
	}
	for _, flag := range []struct {
		name  string
		given bool
		says  string
		kinds []string
	}{
		{"sku", c.SKU != "", "an order", []string{"order"}},
		{"since", c.Since != "", "a product or a command", []string{"product", "command"}},
		{"from-topic", c.FromTopic, "a command", []string{"command"}},
	} {
		if flag.given && !slices.Contains(flag.kinds, kind) {
			return cli.Misuse("--%s is for %s, and %s is %s", flag.name, flag.says, c.ID, is)
		}
	}
	return nil
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
