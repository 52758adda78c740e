package checker

import (
	"cmp"
	"slices"
)

// checkOrder wants the events of each product in sequence, each in the topic after the one before,
// in one partition. Where a lost timeline may have had another order, what it had published already
// appears again somewhere after the one before.
func (c *check) checkOrder() {
	for p := range int32(len(c.traits)) {
		list := c.sequenced.of(p)
		slices.SortFunc(list, func(a, b int32) int {
			return cmp.Or(cmp.Compare(c.events[a].sequence, c.events[b].sequence), cmp.Compare(c.events[a].record, c.events[b].record))
		})
		c.checkChain(p, list)
	}
}

func (c *check) checkChain(p int32, list []int32) {
	last, again := none, c.history.TimelineChanges > 0 && c.traits[p].mixed
	for i, n := range list {
		e := &c.events[n]
		at, next := c.history.Events[e.record].place(), e.record
		for j := 0; again && next <= last && j < len(e.again); j++ {
			next = e.again[j]
		}
		wrong := func(format string, args ...any) {
			c.report(RuleOrder, c.sku(p), c.stretch(p, int64(i+1)), format, args...)
		}
		switch {
		case e.sequence != int64(i+1):
			wrong("sequence %d had to come, %d does, at %s", i+1, e.sequence, at)
			return
		case last != none && at.partition != c.history.Events[last].place().partition:
			wrong("the event at %s is in another partition than that before it, at %s", at, c.history.Events[last].place())
			return
		case next <= last:
			wrong("sequence %d, at %s, is not published after sequence %d, at %s", e.sequence, at, e.sequence-1, c.history.Events[last].place())
			return
		}
		last = next
	}
}
