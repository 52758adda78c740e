package checker

import (
	"cmp"
	"fmt"
	"slices"
)

// place is where a command stands.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func (p place) String() string { return fmt.Sprintf("%s.%d.%d", p.topic, p.partition, p.offset) }

func placeOf(r *Record) place { return place{r.Topic, r.Partition, r.Offset} }

// outcome is what was seen to come of a command.
type outcome struct {
	command *command
	events  []*event // in the order of their number
	letter  *letter
}

// changed tells whether the command changed state: then its events have a sequence.
func (o *outcome) changed() bool { return len(o.events) > 0 && o.events[0].sequence > 0 }

func (o *outcome) reason() string {
	if o.letter == nil {
		return ""
	}
	return o.letter.reason
}

// check is one run of the checker.
type check struct {
	history  *History
	outcomes map[place]*outcome
	order    []*outcome          // each partition's in order
	firsts   map[string]*event   // first appearances, by ce_id
	bySKU    map[string][]*event // first appearances with a sequence, in its order
	found    []Violation
}

// Check finds everything that is wrong with a history.
func Check(h *History) []Violation {
	c := &check{history: h, outcomes: map[place]*outcome{}, firsts: map[string]*event{}, bySKU: map[string][]*event{}}
	c.readCommands()
	c.readEvents()
	c.readLetters()
	c.checkOrder()
	c.replay()
	c.checkCausality()
	c.checkFold()
	c.checkOutbox()
	c.checkPositions()
	return c.found
}

func (c *check) readCommands() {
	for i := range c.history.Commands {
		r := &c.history.Commands[i]
		o := &outcome{command: decode(r, c.history.Kinds[r.Topic])}
		c.outcomes[placeOf(r)] = o
		c.order = append(c.order, o)
	}
	slices.SortStableFunc(c.order, func(a, b *outcome) int {
		x, y := a.command.at, b.command.at
		return cmp.Or(cmp.Compare(x.topic, y.topic), cmp.Compare(x.partition, y.partition), cmp.Compare(x.offset, y.offset))
	})
}

func (c *check) report(rule, sku string, stretch []string, format string, args ...any) {
	c.found = append(c.found, Violation{Rule: rule, SKU: sku, Text: fmt.Sprintf(format, args...), Stretch: stretch})
}

// stretch is a product's history around a sequence.
func (c *check) stretch(sku string, sequence int64) (lines []string) {
	const around = 6
	for _, e := range c.bySKU[sku] {
		if e.sequence >= sequence-around && e.sequence <= sequence+around {
			made := ""
			if o := c.outcomes[e.command]; o != nil {
				made = fmt.Sprintf(" by %s %s", o.command.kind, o.command.record.Value)
			}
			lines = append(lines, fmt.Sprintf("%d %s %s (%s)%s", e.sequence, e.kind, e.record.Value, e.id, made))
		}
	}
	return lines
}
