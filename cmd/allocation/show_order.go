package main

import (
	"context"
	"encoding/json"
	"fmt"

	"allocation/domain"
	"allocation/store"
)

type showOrderCommand struct {
	shown
	ID string `arg:"" name:"id" help:"The order."`
}

func (showOrderCommand) Help() string {
	return `Example:

    allocation show order o1`
}

// Run prints the order.
func (c *showOrderCommand) Run(ctx context.Context, p *program) error {
	return view(ctx, p, c.shown, "order", c.ID, (*store.Store).ShowOrder, p.printOrder)
}

func (p *program) printOrder(o *store.OrderView) error {
	if err := p.printLines(o.Lines, int64(len(o.Lines))); err != nil {
		return err
	}
	for i := range o.Lines {
		if err := p.printHistory(&o.Lines[i]); err != nil {
			return err
		}
	}
	return p.printHeld(o.Held)
}

// printHistory prints what happened to a line, and by which command.
func (p *program) printHistory(l *store.LineView) error {
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
			at = h.Time.Local().Format(timeLayout)
		}
		t.row(at, fmt.Sprint(h.Sequence), h.Type, describe(domain.EventType(h.Type), d, string(h.Data)), commandName(&h))
	}
	return t.flush()
}

func lineName(l *store.LineView) string {
	name := fmt.Sprintf("order %s, %s", l.OrderID, l.SKU)
	if l.LineID != "" {
		name += ", line " + l.LineID
	}
	return name
}

// commandName is the command's own id, else its place.
func commandName(h *store.HistoryView) string {
	if h.CommandID != "" {
		return h.CommandID
	}
	return fmt.Sprintf("%s.%d.%d", h.Topic, h.Partition, h.Offset)
}

// printLines prints lines as they are now, of which there may be more.
func (p *program) printLines(lines []store.LineView, total int64) error {
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
