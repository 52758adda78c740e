// Package export writes what happened to a product as a file that can be replayed.
package export

import (
	"context"
	"errors"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
	"allocation/store/products"
)

// Command is "export" on the command line.
type Command struct {
	config.Kafka
	config.Database
	ID    string `arg:"" name:"sku|order" help:"The SKU of a product; where there is no such product, an order."`
	Order bool   `help:"The ID is an order's, also where there is a product of this name."`
	From  string `placeholder:"TIME" help:"Commands that were committed from this time on, such as 2h, 7d or 2026-11-23T00:00:00Z (as far back as is kept; of an order, from its first line on)."`
	To    string `placeholder:"TIME" help:"Commands that were committed up to this time (all)."`
	Plain bool   `help:"Leave identifiers as they are."`

	FromTopic bool `help:"Look for commands without effect in the command topics: nothing else keeps them."`
}

// Help is what --help adds.
func (Command) Help() string {
	return `Writes what happened to a product, or to the products of an order, as one JSON file: the state at its start, each command, and what it came to. allocation
replay has today's rules decide the commands again, and so does go test ./domain/... -run Replay for each file in domain/incident/testdata/incidents.
Identifiers are replaced, each kind consistently and so that no decision changes, unless --plain. It only reads.

Examples:

    allocation export CHAIR > incident.json
    allocation export checkout-77 --from 2h --from-topic > incident.json`
}

// Run writes the file.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	within := products.Range{Since: problems.Ago("from", c.From), Until: problems.Ago("to", c.To), Plain: c.Plain}
	if err := problems.Err(); err != nil {
		return err
	}
	if c.From != "" && c.To != "" && within.Until.Before(within.Since) {
		return cli.Misuse("--to is before --from")
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	view := products.View{Store: db}
	skus, err := find(ctx, view, c.ID, c.Order, &within, p.Tell)
	if err != nil {
		return err
	}
	var histories []*products.History
	for _, sku := range skus {
		h, err := c.read(ctx, p, view, sku, within)
		if err != nil {
			return err
		}
		histories = append(histories, h)
	}
	return (&File{View: view, Histories: histories, Plain: c.Plain, Tell: p.Tell}).Write(ctx, p.Out)
}

// read reads the history of a product.
func (c *Command) read(ctx context.Context, p *cli.Program, view products.View, sku string, within products.Range) (*products.History, error) {
	ends, err := positions(ctx, view.Store)
	if err != nil {
		return nil, err
	}
	h, err := view.ProductHistory(ctx, sku, within)
	if errors.Is(err, store.ErrUnknown) {
		return nil, fmt.Errorf("nothing is kept of the product %q", sku)
	}
	if err != nil || !c.FromTopic {
		return h, err
	}
	lacking, err := c.readTopics(ctx, p, view.Store, h, within.Since, ends)
	if err != nil {
		return nil, err
	}
	return h, view.AddQuiet(ctx, h, lacking)
}
