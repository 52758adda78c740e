package checker

import (
	"fmt"
	"strings"
)

const around = 3 // commands shown before and after

// sketch is an entry with what came of it, for people.
func (c *check) sketch(i int32) string {
	e := &c.entries[i]
	o := c.decoded(e)
	text := fmt.Sprintf("%s %s %s", o.at, o.kind, shorten(o.value))
	if o.id != "" {
		text += " ce_id=" + o.id
	}
	if l := c.letterOf(i); l != nil {
		text += " | dead letter " + strings.Join(l.reasons(), ", ")
		if state := l.state(); state != "" {
			text += " (" + state + ")"
		}
	}
	if e.held {
		text += " | held"
	}
	for n := e.first; n < e.first+e.events; n++ {
		text += " | " + c.sketchEvent(&c.events[n])
	}
	return text
}

func (c *check) sketchEvent(e *event) string {
	r := c.recordOf(e)
	return fmt.Sprintf("%s %d at %d.%d: %s", c.kinds.all[e.kind], e.sequence, r.Partition, r.Offset, shorten(r.Value))
}

// nearby are the commands before and after an entry in its partition.
func (c *check) nearby(i int32) []string {
	list := []string{"its partition:"}
	for n := max(0, i-around); n <= min(int32(len(c.entries)-1), i+around); n++ {
		if c.entries[n].partition == c.entries[i].partition {
			mark := "  "
			if n == i {
				mark = "> "
			}
			list = append(list, mark+c.sketch(n))
		}
	}
	return list
}

// passage are the commands with effect around a step of a product.
func (c *check) passage(steps []step, k int) []string {
	list := []string{"its product:"}
	for n := max(0, k-around); n <= min(len(steps)-1, k+around); n++ {
		list = append(list, "  "+c.sketch(steps[n].entry))
	}
	return list
}

// stretch are the events of a product around a sequence.
func (c *check) stretch(p int32, sequence int64) func() []string {
	return func() []string {
		steps := c.stepsOf(p)
		for k, s := range steps {
			if last := s.events[len(s.events)-1]; c.events[last].sequence >= sequence {
				return c.passage(steps, k)
			}
		}
		return c.passage(steps, len(steps)-1)
	}
}

// reportCircle shows commands that would each have to come before the next, and the last before the
// first.
func (c *check) reportCircle(what string, circle []int32, entryOf func(int32) int32) {
	const most = 60
	c.report(RuleCycle, c.sku(c.productOf(entryOf(circle[0]))), func() (list []string) {
		for _, n := range circle[:min(most, len(circle))] {
			list = append(list, "before: "+c.sketch(entryOf(n)))
		}
		return list
	}, "%s are in no order that partitions and sequences agree with: %d go round in a circle, from %s", what, len(circle), c.placeOf(entryOf(circle[0])))
}
