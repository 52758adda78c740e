package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/domain/incident"
	"allocation/store"
	"allocation/store/products"
)

// find gives the products that an ID means: one, or those of an order.
func find(ctx context.Context, view products.View, id string, isOrder bool, within *products.Range, tell Tell) ([]string, error) {
	if !isOrder {
		_, err := view.Product(ctx, id, 1)
		switch {
		case err == nil:
			if _, err := view.Order(ctx, id, 1); err == nil {
				tell("%q is a product and also an order: say --order to mean that", id)
			}
			return []string{id}, nil
		case !errors.Is(err, store.ErrUnknown):
			return nil, err
		}
	}
	const maxLines = 10_000
	order, err := view.Order(ctx, id, maxLines)
	if errors.Is(err, store.ErrUnknown) {
		kind := "product and no order"
		if isOrder {
			kind = "order"
		}
		return nil, &unknownError{fmt.Sprintf("there is no %s %q", kind, id)}
	}
	if err != nil {
		return nil, err
	}
	if within.Since.IsZero() {
		within.OrderID = id
	}
	return order.Products(), nil
}

// unknownError is store.ErrUnknown, and says of what.
type unknownError struct{ says string }

func (e *unknownError) Error() string        { return e.says }
func (e *unknownError) Is(target error) bool { return target == store.ErrUnknown }

// Tell says something to who wants the file, beside it.
type Tell func(format string, args ...any)

// File is the file of an incident.
type File struct {
	View      products.View
	Histories []*products.History
	Plain     bool // identifiers stay as they are
	Tell      Tell
}

// Open reads what a file needs that has all that is kept of a product, or else of the products of
// an order since its first line. It is store.ErrUnknown where there is neither.
func Open(ctx context.Context, view products.View, id string) (*File, error) {
	f := &File{View: view, Tell: func(string, ...any) {}}
	var within products.Range
	skus, err := find(ctx, view, id, false, &within, f.Tell)
	for _, sku := range skus {
		h, err := view.ProductHistory(ctx, sku, within)
		if err != nil {
			return nil, err
		}
		f.Histories = append(f.Histories, h)
	}
	return f, err
}

// Write writes the file, and replays it meanwhile.
func (f *File) Write(ctx context.Context, out io.Writer) error {
	var names *incident.Names
	if !f.Plain {
		var refs []string
		for _, h := range f.Histories {
			refs = append(refs, h.Refs()...)
		}
		names = incident.NewNames(refs)
	}
	w := incident.NewWriter(out, cli.NewJSONEncoder)
	check := &incident.Checker{}
	var found error
	for _, h := range f.Histories {
		each := writing{names: names, writer: w, check: check, found: &found}
		if err := each.product(ctx, f.View, h); err != nil {
			return err
		}
		f.say(h, each.agrees)
	}
	if err := w.Close(); err != nil {
		return err
	}
	if found != nil {
		f.Tell("replayed with this program, it differs already:\n%s", found)
	} else {
		f.Tell("replayed with this program, nothing differs")
	}
	return nil
}

// say tells what the file has of a product.
func (f *File) say(h *products.History, agrees bool) {
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
		if !f.Plain {
			text += " (--plain has those that are JSON)"
		}
	}
	if !agrees {
		text += "; it does not lead to the product as it is today: allocation verify --sku compares that with its events"
	}
	f.Tell("%s", text)
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
