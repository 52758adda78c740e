package checker

import (
	"cmp"
	"slices"
)

// checkOrder wants the first appearances of each product's events in sequence, in one partition of
// the topic.
func (c *check) checkOrder() {
	for p := range int32(len(c.traits)) {
		list := c.sequenced.of(p)
		slices.SortFunc(list, func(a, b int32) int { return cmp.Compare(c.events[a].record, c.events[b].record) })
		c.checkOnePartition(p, list)
		relaxed := c.history.TimelineChanges > 0 && c.traits[p].mixed
		if !relaxed {
			c.checkFirsts(p, list)
		}
		slices.SortStableFunc(list, func(a, b int32) int { return cmp.Compare(c.events[a].sequence, c.events[b].sequence) })
		if relaxed {
			c.checkChain(p, list)
		}
	}
}

func (c *check) checkOnePartition(p int32, list []int32) {
	for i := 1; i < len(list); i++ {
		last, this := c.history.Events[c.events[list[i-1]].record].place(), c.history.Events[c.events[list[i]].record].place()
		if last.partition != this.partition {
			c.report(RuleOrder, c.sku(p), nil, "the event at %s is in another partition than that before it, at %s", this, last)
			return
		}
	}
}

func (c *check) checkFirsts(p int32, list []int32) {
	for i, n := range list {
		if e := &c.events[n]; e.sequence != int64(i+1) {
			c.report(RuleOrder, c.sku(p), func() []string { return c.appearances(list, i) }, "sequence %d comes first at %s, where %d had to come",
				e.sequence, c.history.Events[e.record].place(), i+1)
			return
		}
	}
}

func (c *check) appearances(list []int32, i int) (text []string) {
	for _, n := range list[max(0, i-around):min(len(list), i+around+1)] {
		text = append(text, c.sketchEvent(&c.events[n])+" by "+c.placeOf(c.events[n].entry).String())
	}
	return text
}

// checkChain wants the events in sequence, each somewhere after the one before: what a lost
// timeline had published already appears twice.
func (c *check) checkChain(p int32, list []int32) {
	at := none
	for i, n := range list {
		e := &c.events[n]
		if e.sequence != int64(i+1) {
			c.report(RuleOrder, c.sku(p), c.stretch(p, int64(i+1)), "sequence %d is missing: %d follows", i+1, e.sequence)
			return
		}
		next := e.record
		for j := 0; next <= at && j < len(e.again); j++ {
			next = e.again[j]
		}
		if next <= at {
			c.report(RuleOrder, c.sku(p), c.stretch(p, e.sequence), "sequence %d, at %s, is not published again after sequence %d, at %s",
				e.sequence, c.history.Events[e.record].place(), e.sequence-1, c.history.Events[at].place())
			return
		}
		at = next
	}
}
