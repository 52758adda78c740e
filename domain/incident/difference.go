package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"allocation/domain/product"
)

// Difference is where a command comes to something else than it did then.
type Difference struct {
	Step    int // the command's number in the file, from 1
	Command *Command
	Then    string // each a line, or lines below each other
	Now     string
	What    string  // that differs
	Events  []Event // all that the command does now
}

// Compare finds the first thing that a command comes to differently now; nil: there is none.
func Compare(step int, then *Command, now *Outcome) *Difference {
	d := Difference{Step: step, Command: then, Events: now.Events}
	for i := range max(len(then.Events), len(now.Events)) {
		was, is := at(then.Events, i), at(now.Events, i)
		if what := differs(was, is); what != "" {
			d.What = fmt.Sprintf("%s of its event %d", what, i+1)
			d.Then, d.Now = was.String(), is.String()
			return &d
		}
	}
	if then.Result != now.Result || then.Reason != now.Reason {
		d.What, d.Then, d.Now = "the result", then.Outcome.String(), now.String()
		return &d
	}
	return nil
}

func at(events []Event, i int) *Event {
	if i < len(events) {
		return &events[i]
	}
	return nil
}

// differs says in what two events differ; empty: in nothing.
func differs(a, b *Event) string {
	switch {
	case a == nil || b == nil:
		return "the existence"
	case a.Type != b.Type:
		return "the type"
	case a.Sequence != b.Sequence:
		return "the sequence"
	case !sameJSON(a.Data, b.Data):
		return "the data"
	case !sameNote(a.Note, b.Note):
		return "the note (why it was so)"
	}
	return ""
}

// sameNote compares notes. One that says it is partial depends on what was loaded then.
func sameNote(a, b json.RawMessage) bool {
	if sameJSON(a, b) {
		return true
	}
	return partial(a) || partial(b)
}

func partial(note json.RawMessage) bool {
	var n product.Note
	return len(note) > 0 && json.Unmarshal(note, &n) == nil && n.Partial
}

// sameJSON compares what JSON says, however it is written.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	return len(a) > 0 && len(b) > 0 && reflect.DeepEqual(plain(a), plain(b))
}

func plain(text json.RawMessage) (value any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return string(text)
	}
	return value
}

// String is the difference for people.
func (d *Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "step %d, command %s: %s differs\n", d.Step, d.Command, d.What)
	fmt.Fprintf(&b, "    then: %s\n    now:  %s\n", d.Then, d.Now)
	if d.Command.ByTime {
		b.WriteString("    (the place of this command among those of other partitions is told by the clock alone, and may be another)\n")
	}
	return b.String()
}

// String names a command for people.
func (c *Command) String() string {
	name := c.ID
	if name == "" {
		name = "(without id)"
	}
	return fmt.Sprintf("%s (%s %s, %s)", name, c.Type, c.Data, c.Position)
}

// String is an event for people.
func (e *Event) String() string {
	if e == nil {
		return "no such event"
	}
	text := e.Type + " " + string(e.Data)
	if e.Sequence > 0 {
		text = fmt.Sprintf("#%d %s", e.Sequence, text)
	}
	if len(e.Note) > 0 {
		text += " because of " + string(e.Note)
	}
	return text
}

// String is an outcome for people.
func (o *Outcome) String() string {
	switch {
	case o.Result == Refused && o.Message != "":
		return fmt.Sprintf("refused: %s: %s", o.Reason, o.Message)
	case o.Result == Refused:
		return "refused: " + o.Reason
	case o.Result == NoEffect:
		return "without effect"
	}
	return fmt.Sprintf("%d events", len(o.Events))
}
