package replay

import (
	"bufio"
	"fmt"
	"io"

	"allocation/cmd/allocation/event"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/domain/incident"
	"allocation/store"
)

// steps prints each command and what it comes to now.
type steps struct {
	out      *bufio.Writer
	check    *incident.Checker
	products int
}

func (s *steps) print(step int, c *incident.Command, now *incident.Outcome) {
	if n := len(s.check.Products); n > s.products {
		s.products = n
		p := s.check.Products[n-1]
		fmt.Fprintf(s.out, "product %s, from version %d on\n", cli.Printable(p.SKU), p.Start.Version)
	}
	at := ""
	if c.Committed != nil {
		at = cli.When(*c.Committed) + "  "
	}
	fmt.Fprintf(s.out, "\n%d  %s%s\n", step, at, cli.Printable(c.String()))
	if now.Result != incident.Changed {
		fmt.Fprintf(s.out, "    %s\n", cli.Printable(now.String()))
	}
	_ = explain.PrintTried(&cli.Program{Out: s.out}, event.Words, views(now.Events)) // its error is that of the last Flush
}

// views are events as explain has them.
func views(events []incident.Event) (all []store.EventView) {
	for i := range events {
		e := &events[i]
		first := store.FirstEvent{Type: events[0].Type, Data: events[0].Data, Note: events[0].Note}
		all = append(all, store.EventView{Type: e.Type, Sequence: e.Sequence, Data: e.Data, Note: e.Note, Cause: store.CauseView{First: first}})
	}
	return all
}

// printState prints the product as it is after the last command.
func printState(out io.Writer, check *incident.Checker) {
	state := check.Replay.State()
	fmt.Fprintf(out, "\nproduct %s at version %d\n", cli.Printable(check.Products[len(check.Products)-1].SKU), state.Version)
	for i := range state.Batches {
		b := &state.Batches[i]
		due := "in the warehouse"
		if b.ETA != "" {
			due = "due " + b.ETA
		}
		fmt.Fprintf(out, "  batch %s, %s: %d, of which %d are allocated\n", cli.Printable(b.Ref), due, b.Qty, b.Allocated)
	}
	for i := range state.Lines {
		l := &state.Lines[i]
		text := fmt.Sprintf("%d for order %s", l.Qty, l.OrderID)
		if l.LineID != "" {
			text += ", line " + l.LineID
		}
		text += ": " + l.State
		if l.BatchRef != "" {
			text += ", batch " + l.BatchRef
		}
		fmt.Fprintf(out, "  %s\n", cli.Printable(text))
	}
}
