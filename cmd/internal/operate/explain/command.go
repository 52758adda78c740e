package explain

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// Explained is a command, and what became of it.
type Explained struct {
	*store.Way
	Type          string  `json:"type,omitempty"`
	CommandID     string  `json:"id,omitempty"`
	CorrelationID string  `json:"correlation,omitempty"`
	Idle          string  `json:"idle,omitempty"` // why there is no command at the position yet; empty: there may be one
	Stamps        []Stamp `json:"stamps"`

	Record *kgo.Record `json:"-"` // nil: Kafka does not have it, or was not asked
	Data   []byte      `json:"-"` // of the record
}

// Explain finds out what became of the command at a position.
func (c *Commands) Explain(ctx context.Context, id store.RecordID) (*Explained, error) {
	way, err := c.Store.Way(ctx, id)
	if err != nil {
		return nil, err
	}
	k := c.look(ctx, id, way.Partition.NextOffset == id.Offset)
	if k.isEnd(way) {
		return &Explained{Way: way, Idle: idle(way, k), Stamps: []Stamp{}}, nil
	}
	e := &Explained{Way: way, Stamps: stampsOf(way, k, c.Words), Record: k.record}
	e.name(k, c.Program, c.Words)
	if e.NoEffect() && c.Words.Idle != nil {
		err = c.Words.Idle(ctx, c.Store, e)
	}
	return e, err
}

// name tells what the command is, by its record or by what is kept of it.
func (e *Explained) name(k *inKafka, p *cli.Program, w Words) {
	if k.record != nil {
		c := commandOf(k.record, p)
		e.Type, e.CommandID, e.CorrelationID, e.Data = c.Type, c.Cause.CommandID, c.Cause.CorrelationID, c.Data
	}
	for i := range e.Applied {
		for j := range e.Applied[i].Events {
			cause := &e.Applied[i].Events[j].Cause
			e.Type, e.CommandID, e.CorrelationID = orElse(e.Type, w.Command(cause)), orElse(e.CommandID, cause.CommandID), orElse(e.CorrelationID, cause.CorrelationID)
		}
	}
	for i := range e.Letters {
		e.Type = orElse(e.Type, e.Letters[i].Type)
	}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// NoEffect reports whether the command was applied, and has neither an event nor a dead letter.
func (e *Explained) NoEffect() bool {
	return e.Waits == nil && len(e.Letters) == 0 && len(e.Applied) > 0 && eventsOf(e.Way) == 0
}

// Say adds to what a stamp says.
func (e *Explained) Say(stamp, more string) {
	for i := range e.Stamps {
		if e.Stamps[i].Name == stamp {
			e.Stamps[i].Says += more
		}
	}
}

// Events are the command's, of each time that it was applied.
func (e *Explained) Events() (events [][]store.EventView) {
	for i := range e.Applied {
		events = append(events, e.Applied[i].Events)
	}
	return events
}

// Print prints it for people.
func (e *Explained) Print(p *cli.Program, w Words) error {
	if e.Idle != "" {
		_, err := fmt.Fprintln(p.Out, cli.Printable(e.Idle))
		return err
	}
	fmt.Fprintf(p.Out, "command %s", e.ID)
	for _, part := range []struct{ name, text string }{{"type", e.Type}, {"id", e.CommandID}, {"correlation", e.CorrelationID}} {
		if part.text != "" {
			fmt.Fprintf(p.Out, ", %s %s", part.name, cli.Printable(part.text))
		}
	}
	fmt.Fprint(p.Out, "\n\n")
	t := cli.NewTable(p.Out, "STAMP", "TIME", "")
	for _, s := range e.Stamps {
		at := ""
		if s.At != nil {
			at = cli.When(*s.At)
		}
		t.Row(s.Name, at, s.Says)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := range e.Applied {
		if events := e.Applied[i].Events; len(events) > 0 {
			fmt.Fprintf(p.Out, "\nevents, committed at %s\n", cli.When(e.Applied[i].Committed))
			if err := PrintEvents(p, w, events); err != nil {
				return err
			}
		}
	}
	return e.printLetters(p)
}

func (e *Explained) printLetters(p *cli.Program) error {
	if len(e.Letters) == 0 {
		return nil
	}
	fmt.Fprintln(p.Out, "\ndead letters")
	err := cli.PrintTable(p, []string{"SINCE", "REASON", "STATE", "WHY"}, e.Letters, 0, func(l *store.Letter) []string {
		return []string{cli.When(l.RecordedAt), l.Reason, l.State, l.Message}
	})
	if letter := open(e.Way); err == nil && letter != nil && letter.State == store.LetterOpen && letter.WaitsUntil == nil {
		fmt.Fprintln(p.Out)
		err = PrintDecisions(p, letter.ID)
	}
	return err
}

// PrintDecisions says what can be done about an open dead letter.
func PrintDecisions(p *cli.Program, letter store.RecordID) error {
	id := cli.Printable(letter.String())
	_, err := fmt.Fprintf(p.Out, "to apply it again:  %s dlq retry %s\nto leave it out:    %[1]s dlq discard %[2]s\n", p.Name, id)
	return err
}
