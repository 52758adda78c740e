package main

import (
	"context"
	"encoding/json"
	"fmt"

	"allocation/domain"
	"allocation/store"
	"allocation/store/products"
)

type showOrderCommand struct {
	shown
	limited
	ID string `arg:"" name:"id" help:"The order."`
}

func (showOrderCommand) Help() string {
	return `Prints an order's lines and what happened to them. Then its commands that had no effect: those that wait behind a held product, and those that
were refused or failed and are dead letters, unless they were retried. Those are looked for by reading what waits and all dead letters.

Example:

    allocation show order o1`
}

// Run prints the order.
func (c *showOrderCommand) Run(ctx context.Context, p *program) error {
	return viewLimited(ctx, p, c.shown, c.limited, "order", c.ID, products.View.Order, p.printOrder)
}

func (p *program) printOrder(o *products.OrderView) error {
	if o.LinesTotal == 0 {
		fmt.Fprintf(p.out, "order %s has no lines\n", printable(o.OrderID))
	} else if err := p.printLines(o.Lines, o.LinesTotal); err != nil {
		return err
	}
	for i := range o.Lines {
		if err := p.printHistory(&o.Lines[i]); err != nil {
			return err
		}
	}
	if err := p.printCommands("commands that wait behind a held product", o.Waiting, o.WaitingTotal); err != nil {
		return err
	}
	if err := p.printCommands("commands that were refused, or failed", o.Refused, o.RefusedTotal); err != nil {
		return err
	}
	return p.printHeld(o.Held)
}

// printCommands prints commands that had no effect, of which there may be more.
func (p *program) printCommands(what string, commands []products.OrderCommandView, total int64) error {
	if len(commands) == 0 {
		return nil
	}
	fmt.Fprintf(p.out, "\n%s\n", what)
	t := newTable(p.out, "ID", "TYPE", "LINE", "PRODUCT", "SINCE", "WHY")
	for _, c := range commands {
		why := "product " + c.Held + " is held"
		if c.Held == "" {
			why = fmt.Sprintf("%s (%s): %s", c.Reason, attempts(c.State, c.Retries), c.Message)
		}
		t.row(c.ID.String(), c.Type, c.LineID, c.SKU, when(c.Since), why)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return p.printMore(total - int64(len(commands)))
}

// printHistory prints what happened to a line, and by which command.
func (p *program) printHistory(l *products.LineView) error {
	fmt.Fprintf(p.out, "\nhistory of %s\n", printable(lineName(l)))
	if l.HistoryCut {
		fmt.Fprintln(p.out, "(older events are no longer in the database: see OUTBOX_RETENTION)")
	}
	t := newTable(p.out, "TIME", "SEQUENCE", "EVENT", "WHAT", "COMMAND")
	for _, h := range l.History {
		var d eventData
		_ = json.Unmarshal(h.Data, &d) // the service wrote it
		at := ""
		if h.Time != nil {
			at = when(*h.Time)
		}
		t.row(at, fmt.Sprint(h.Sequence), h.Type, describe(domain.EventType(h.Type), d, string(h.Data)), commandName(&h))
	}
	return t.flush()
}

func lineName(l *products.LineView) string {
	name := fmt.Sprintf("order %s, %s", l.OrderID, l.SKU)
	if l.LineID != "" {
		name += ", line " + l.LineID
	}
	return name
}

// commandName is the command's own id, else its place.
func commandName(h *store.EventView) string {
	if h.CommandID != "" {
		return h.CommandID
	}
	return fmt.Sprintf("%s.%d.%d", h.Topic, h.Partition, h.Offset)
}

// printLines prints lines as they are now, of which there may be more.
func (p *program) printLines(lines []products.LineView, total int64) error {
	t := newTable(p.out, "ORDER", "LINE", "PRODUCT", "QUANTITY", "STATE", "BATCH")
	for _, l := range lines {
		t.row(l.OrderID, l.LineID, l.SKU, count(l.Qty), l.State, l.BatchRef)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return p.printMore(total - int64(len(lines)))
}

func (p *program) printMore(more int64) error {
	if more <= 0 {
		return nil
	}
	_, err := fmt.Fprintf(p.out, "… and %s more\n", count(more))
	return err
}
