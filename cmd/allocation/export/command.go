// Package export writes what happened to a product as a file that can be replayed.
package export

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/domain/incident"
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
	skus, err := c.find(ctx, p, view, &within)
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
	return c.write(ctx, p, view, histories)
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

// find gives the products that are meant.
func (c *Command) find(ctx context.Context, p *cli.Program, view products.View, within *products.Range) ([]string, error) {
	if !c.Order {
		_, err := view.Product(ctx, c.ID, 1)
		switch {
		case err == nil:
			if _, err := view.Order(ctx, c.ID, 1); err == nil {
				p.Tell("%q is a product and also an order: say --order to mean that", c.ID)
			}
			return []string{c.ID}, nil
		case !errors.Is(err, store.ErrUnknown):
			return nil, err
		}
	}
	const maxLines = 10_000
	order, err := view.Order(ctx, c.ID, maxLines)
	if errors.Is(err, store.ErrUnknown) {
		kind := "product and no order"
		if c.Order {
			kind = "order"
		}
		return nil, fmt.Errorf("there is no %s %q", kind, c.ID)
	}
	if err != nil {
		return nil, err
	}
	if within.Since.IsZero() {
		within.OrderID = c.ID
	}
	return order.Products(), nil
}

// write writes the file, and replays it meanwhile.
func (c *Command) write(ctx context.Context, p *cli.Program, view products.View, histories []*products.History) error {
	var names *incident.Names
	if !c.Plain {
		var refs []string
		for _, h := range histories {
			refs = append(refs, h.Refs()...)
		}
		names = incident.NewNames(refs)
	}
	w := incident.NewWriter(p.Out, cli.NewJSONEncoder)
	check := &incident.Checker{}
	var found error
	for _, h := range histories {
		each := writing{names: names, writer: w, check: check, found: &found}
		if err := each.product(ctx, view, h); err != nil {
			return err
		}
		c.say(p, h, each.agrees)
	}
	if err := w.Close(); err != nil {
		return err
	}
	if found != nil {
		p.Tell("replayed with this program, it differs already:\n%s", found)
	} else {
		p.Tell("replayed with this program, nothing differs")
	}
	return nil
}

// say tells on stderr what the file has of a product.
func (c *Command) say(p *cli.Program, h *products.History, agrees bool) {
	text := fmt.Sprintf("product %s: %s, from version %d to %d", h.SKU(), cli.CountOf(int64(h.Len()), "command"), h.Product.Start.Version, h.Product.Version)
	if h.Cut {
		text += "; what was before is no longer kept (OUTBOX_RETENTION), and the state at the start was derived from today's"
	}
	for _, b := range h.Product.Start.Batches {
		if len(b.Unknown) > 0 {
			text += fmt.Sprintf("; of batch %s, the %s at the start is no longer kept: a change of its quantity without effect may replay differently",
				b.Ref, strings.Join(b.Unknown, " and the "))
			break
		}
	}
	if n := h.Product.LeftOut; n > 0 {
		text += fmt.Sprintf("; %s left out that could not be read or has no event any more", cli.CountOf(n, "refused command"))
		if !c.Plain {
			text += " (--plain has those that are JSON)"
		}
	}
	if !agrees {
		text += "; it does not lead to the product as it is today: allocation verify --sku compares that with its events"
	}
	p.Tell("%s", text)
}

// writing writes and replays a product.
type writing struct {
	names  *incident.Names
	writer *incident.Writer
	check  *incident.Checker
	found  *error
	agrees bool // the replay leads to the product as it is; true also where that cannot be told
}

func (w *writing) product(ctx context.Context, view products.View, h *products.History) error {
	product := h.Product
	start := *product.Start // say has the names as they are
	start.Batches, start.Lines = append([]incident.Batch{}, start.Batches...), append([]incident.Line{}, start.Lines...)
	product.Start = &start
	now := incident.Product{SKU: product.SKU, Start: h.Now}
	if w.names != nil {
		if err := w.names.Product(&product); err != nil {
			return err
		}
	}
	if err := w.writer.Begin(&product); err != nil {
		return err
	}
	if err := w.check.Begin(&product); err != nil {
		return err
	}
	if err := view.EachCommand(ctx, h, w.command); err != nil {
		return err
	}
	w.agrees = true
	if h.Now != nil && *w.found == nil {
		if w.names != nil {
			if err := w.names.Product(&now); err != nil {
				return err
			}
		}
		w.agrees = w.check.Replay.State().Agrees(now.Start)
	}
	return w.writer.End()
}

func (w *writing) command(c *incident.Command) error {
	if w.names != nil {
		if err := w.names.Command(c); err != nil {
			return err
		}
	}
	if *w.found == nil {
		var found *incident.Found
		err := w.check.Step(c)
		if err != nil && !errors.As(err, &found) {
			return err
		}
		*w.found = err
	}
	return w.writer.Step(c)
}
