package try

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
)

// Result is what a command would come to.
type Result string

// The results.
const (
	Changed  Result = "changed"
	NoEffect Result = "no_effect"
	Refused  Result = "refused"
	Held     Result = "held"
)

// Answer is what one command would come to.
type Answer struct {
	Line          int64           `json:"line,omitempty"` // of the file
	Type          string          `json:"type"`
	Data          json.RawMessage `json:"data"`
	ID            string          `json:"id,omitempty"`
	CorrelationID string          `json:"correlation,omitempty"`

	Result  Result           `json:"result"`
	Reason  string           `json:"reason,omitempty"`  // of a refusal
	Message string           `json:"message,omitempty"` // of a refusal
	HeldBy  *HeldBy          `json:"held_by,omitempty"`
	Total   int64            `json:"events_total"`
	ByType  map[string]int64 `json:"events_by_type"`
	Harm    *explain.Harm    `json:"harm,omitempty"` // what it would take away that others were promised
	Events  []Event          `json:"events"`         // the first of them

	first []store.EventView
}

// HeldBy is what a command would wait behind.
type HeldBy struct {
	Key string `json:"key"`
	store.HeldKey
}

// Event is one that a command would have.
type Event struct {
	Type     string          `json:"type"`
	Sequence int64           `json:"sequence,omitempty"`
	Key      string          `json:"key"`
	Subject  string          `json:"subject"`
	Data     json.RawMessage `json:"data"`
	Note     json.RawMessage `json:"note,omitempty"`
}

func answerOf(c *Command, t *store.Tried) Answer {
	a := Answer{
		Line: c.Line, Type: c.Type, Data: c.Data, ID: c.ID, CorrelationID: c.CorrelationID,
		Result: NoEffect, Total: int64(t.Events), ByType: t.ByType, Events: []Event{}, first: t.First,
	}
	switch {
	case t.Refusal != nil:
		a.Result, a.Reason, a.Message = Refused, t.Refusal.Reason, t.Refusal.Message
	case t.Waits != nil:
		a.Result, a.HeldBy = Held, &HeldBy{t.Waits.Key, *t.Waits}
	case t.Events > 0:
		a.Result = Changed
	}
	for _, e := range t.First {
		a.Events = append(a.Events, Event{e.Type, e.Sequence, e.Key, e.Subject, e.Data, e.Note})
	}
	return a
}

// Print prints the answers for people.
func (a *Answers) Print(p *cli.Program, w explain.Words) error {
	for i := range a.Commands {
		if i > 0 {
			fmt.Fprintln(p.Out)
		}
		if err := a.Commands[i].print(p, w); err != nil {
			return err
		}
	}
	return nil
}

func (a *Answer) print(p *cli.Program, w explain.Words) error {
	line := ""
	if a.Line > 0 {
		line = fmt.Sprintf("line %d: ", a.Line)
	}
	fmt.Fprintf(p.Out, "%s\n", cli.Printable(fmt.Sprintf("%s%s %s", line, a.Type, short(a.Data))))
	fmt.Fprintf(p.Out, "  %s\n", cli.Printable(a.Says(p)))
	if a.Harm != nil {
		fmt.Fprintf(p.Out, "  %s\n", cli.Printable(a.Harm.Says))
	}
	if err := explain.PrintTried(p, w, a.first); err != nil {
		return err
	}
	if more := a.More(); more > 0 {
		_, err := fmt.Fprintf(p.Out, "    and %s more (--limit); in all %s\n", cli.CountOf(more, "event"), cli.Printable(a.Types()))
		return err
	}
	return nil
}

// First are the first events, for people.
func (a *Answer) First() []store.EventView { return a.first }

// More is how many events there are after the first.
func (a *Answer) More() int64 { return a.Total - int64(len(a.first)) }

// Says says in words what the command would come to.
func (a *Answer) Says(p *cli.Program) string {
	switch a.Result {
	case Refused:
		return fmt.Sprintf("would be refused: %s: %s", a.Reason, a.Message)
	case Held:
		return fmt.Sprintf("would wait behind the held %s %s: dead letter %s (%s), held since %s",
			p.Vocabulary.Entity, a.HeldBy.Key, a.HeldBy.Letter, cli.HeldText(&a.HeldBy.HeldKey), cli.When(a.HeldBy.Since))
	case NoEffect:
		return "would have no effect"
	}
	return "would lead to " + cli.CountOf(a.Total, "event")
}

// Types counts the events by their types.
func (a *Answer) Types() string {
	var each []string
	for _, name := range slices.Sorted(maps.Keys(a.ByType)) {
		each = append(each, cli.Count(a.ByType[name])+" "+name)
	}
	return strings.Join(each, ", ")
}

// maxData bounds what is shown of a command's data. What no command has is passed over, so it can
// be long.
const maxData = 500

func short(data []byte) string {
	if len(data) <= maxData {
		return string(data)
	}
	return strings.ToValidUTF8(string(data[:maxData]), "") + "…"
}
