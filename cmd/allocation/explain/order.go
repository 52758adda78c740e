package explain

import (
	"context"
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/dlq"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
	"allocation/store/products"
)

type orderCommand struct {
	explain.Shown
	ID  string `arg:"" name:"id" help:"The order."`
	SKU string `name:"sku" help:"Its lines of this product only."`
}

func (orderCommand) Help() string {
	return `Prints each line of an order: what happened to it, oldest first, by which commands, and why. Then what it waits for, commands that were
refused, and those that wait behind a held product.

Example:

    allocation explain order o1`
}

// Run prints the order.
func (c *orderCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	limit := c.CheckLimit(problems)
	return story[products.OrderStory]{
		"order", c.ID,
		func(v products.View) (*products.OrderStory, error) { return v.OrderStory(ctx, c.ID, c.SKU, limit) },
		eventsOfOrder, printOrder,
	}.tell(ctx, p, &c.Shown, problems)
}

func eventsOfOrder(o *products.OrderStory) (events [][]store.EventView) {
	for i := range o.Lines {
		events = append(events, o.Lines[i].Events)
	}
	return events
}

func printOrder(p *cli.Program, o *products.OrderStory) error {
	fmt.Fprintf(p.Out, "order %s\n", cli.Printable(o.OrderID))
	for i := range o.Lines {
		if err := printLine(p, &o.Lines[i]); err != nil {
			return err
		}
	}
	if o.More > 0 {
		fmt.Fprintf(p.Out, "\n… and %s more lines (--limit)\n", cli.Count(o.More))
	}
	for i := range o.Refused {
		c := &o.Refused[i]
		fmt.Fprintf(p.Out, "\n%s\n", cli.Printable(fmt.Sprintf("%s  %s of %s  %s", cli.When(c.Since), c.Type, c.SKU, c.ID)))
		fmt.Fprintf(p.Out, "    %s\n", cli.Printable(fmt.Sprintf("refused (%s, %s): %s", c.Reason, dlq.StateText(c.State, c.Retries), c.Message)))
	}
	for i := range o.Waiting {
		c := &o.Waiting[i]
		fmt.Fprintf(p.Out, "\n%s\n", cli.Printable(fmt.Sprintf("%s  %s of %s  %s", cli.When(c.Since), c.Type, c.SKU, c.ID)))
		fmt.Fprintf(p.Out, "    not applied yet, because product %s is held\n", cli.Printable(c.Held))
	}
	return printHeld(p, o.Held)
}

func printHeld(p *cli.Program, held []products.HeldView) error {
	for _, h := range held {
		fmt.Fprintf(p.Out, "\nproduct %s is held since %s by the dead letter %s (%s), with %s behind it: allocation explain command %[3]s\n",
			cli.Printable(h.SKU), cli.When(h.Since), cli.Printable(h.Letter.String()), cli.HeldText(&h.HeldKey), cli.CountOf(h.Waiting, "command"))
		fmt.Fprintf(p.Out, "    why: %s\n", cli.Printable(h.Message))
		if h.State == store.LetterOpen && h.WaitsUntil == nil {
			if err := explain.PrintDecisions(p, h.Letter); err != nil {
				return err
			}
		}
	}
	return nil
}

func printLine(p *cli.Program, l *products.LineStory) error {
	fmt.Fprintf(p.Out, "\n%s\n", cli.Printable(LineText(l)))
	if l.Cut {
		fmt.Fprintln(p.Out, "  (older events are no longer in the database: see OUTBOX_RETENTION)")
	}
	if err := explain.PrintHistory(p, words, l.Events); err != nil {
		return err
	}
	for _, sentence := range Now(l) {
		fmt.Fprintf(p.Out, "  now: %s\n", cli.Printable(sentence))
	}
	return nil
}

// LineText says how an order line stands.
func LineText(l *products.LineStory) string {
	text := fmt.Sprintf("%s of %s", cli.Count(l.Qty), l.SKU)
	if l.LineID != "" {
		text += ", line " + l.LineID
	}
	text += ": " + l.State
	switch l.State {
	case "allocated":
		text += " to batch " + l.BatchRef + ", " + due(l.ETA)
	case "dispatched":
		text += " from batch " + l.BatchRef
	}
	return text
}

func due(eta string) string {
	if eta == "" {
		return "in the warehouse"
	}
	return "due " + eta
}

// Now says what a line waits for, or why it stays where it is.
func Now(l *products.LineStory) []string {
	switch {
	case l.State == "waiting":
		return []string{waits(l), before(l)}
	case l.Better != nil:
		return []string{fmt.Sprintf("batch %s (%s) comes first in preference and has %s available, but an allocated line never moves to better stock by itself",
			l.Better.Ref, due(l.Better.ETA), cli.Count(l.Better.Available))}
	}
	return nil
}

func waits(l *products.LineStory) string {
	text := fmt.Sprintf("it needs %s in one batch; ", cli.Count(l.Qty))
	if len(l.Most) == 0 {
		return text + "no batch has anything available"
	}
	var most []string
	for _, b := range l.Most {
		most = append(most, fmt.Sprintf("%s on %s (%s)", cli.Count(b.Available), b.Ref, due(b.ETA)))
	}
	return text + "the most available are " + strings.Join(most, ", ")
}

func before(l *products.LineStory) string {
	switch l.Before {
	case 0:
		return "no line that waits was placed before it"
	case products.MaxBefore:
		return cli.Count(l.Before) + " or more lines that wait were placed before it, and are served first where stock is enough for them"
	case 1:
		return "1 line that waits was placed before it, and is served first where stock is enough for it"
	}
	return cli.Count(l.Before) + " lines that wait were placed before it, and are served first where stock is enough for them"
}
