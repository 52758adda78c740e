package explain

import (
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// PrintEvents prints events of one command, and why it decided so.
func PrintEvents(p *cli.Program, w Words, events []store.EventView) error {
	for i := range events {
		if err := printEvent(p, w, &events[i], acknowledged(&events[i])); err != nil {
			return err
		}
	}
	return nil
}

// PrintTried prints events that nobody is going to publish.
func PrintTried(p *cli.Program, w Words, events []store.EventView) error {
	for i := range events {
		if err := printEvent(p, w, &events[i], ""); err != nil {
			return err
		}
	}
	return nil
}

func printEvent(p *cli.Program, w Words, e *store.EventView, state string) error {
	what := w.What(e)
	if w.Types {
		what = e.Type + " " + what
	}
	if _, err := fmt.Fprintf(p.Out, "    %s%s%s\n", number(e), cli.Printable(what), state); err != nil {
		return err
	}
	for _, sentence := range w.Why(e) {
		fmt.Fprintf(p.Out, "        %s\n", cli.Printable(sentence))
	}
	if where := copies(e); where != "" {
		fmt.Fprintf(p.Out, "        %s\n", cli.Printable(where))
	}
	return nil
}

// PrintHistory prints events, oldest first, each below its command.
func PrintHistory(p *cli.Program, w Words, events []store.EventView) error {
	for i := 0; i < len(events); {
		n := i + 1
		for n < len(events) && events[n].Cause.ID == events[i].Cause.ID {
			n++
		}
		fmt.Fprintf(p.Out, "  %s\n", cli.Printable(header(w, &events[i])))
		if err := PrintEvents(p, w, events[i:n]); err != nil {
			return err
		}
		i = n
	}
	return nil
}

// header names the command of an event.
func header(w Words, e *store.EventView) string {
	var parts []string
	at := "(no time)"
	switch {
	case e.Committed != nil:
		at = cli.When(*e.Committed)
	case e.Cause.Time != nil:
		at = cli.When(*e.Cause.Time)
	}
	if e.Cause.CommandID != "" {
		parts = append(parts, "id "+e.Cause.CommandID)
	}
	if e.Cause.CorrelationID != "" {
		parts = append(parts, "correlation "+e.Cause.CorrelationID)
	}
	if e.Worker != "" {
		parts = append(parts, "worker "+e.Worker)
	}
	text := strings.TrimSpace(at + "  " + w.Command(&e.Cause) + "  " + e.Cause.ID.String())
	if len(parts) > 0 {
		text += "  (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

func number(e *store.EventView) string {
	if e.Sequence == 0 {
		return ""
	}
	return fmt.Sprintf("#%d ", e.Sequence)
}

func acknowledged(e *store.EventView) string {
	if e.Published {
		return ""
	}
	return " (not acknowledged yet)"
}
