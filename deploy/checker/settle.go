package checker

import (
	"cmp"
	"slices"
)

// group are all appearances of one ce_id.
type group struct {
	eventID
	variants [][]int32 // appearances by what they say, each in order
}

// lostEvent is an event that only a lost timeline can have made.
type lostEvent struct {
	record, entry int32
}

// settleEvents tells first appearances from repeats, and which of them survived. Outbox rows tell
// what did.
func (c *check) settleEvents(sightings, rows []mention) {
	slices.SortFunc(sightings, func(a, b mention) int { return cmp.Or(a.compare(b.eventID), cmp.Compare(a.index, b.index)) })
	rows = slices.DeleteFunc(rows, func(r mention) bool { return !c.isEvent(r) })
	slices.SortFunc(rows, func(a, b mention) int { return a.compare(b.eventID) })
	for len(sightings) > 0 {
		g, n := c.groupOf(sightings)
		sightings = sightings[n:]
		for len(rows) > 0 && rows[0].compare(g.eventID) < 0 {
			c.unpublished(rows[0])
			rows = rows[1:]
		}
		mine := 0
		for mine < len(rows) && rows[mine].eventID == g.eventID {
			mine++
		}
		c.settleGroup(g, rows[:mine])
		rows = rows[mine:]
	}
	for _, r := range rows {
		c.unpublished(r)
	}
	c.assignEvents()
}

// groupOf takes the sightings of the first ce_id.
func (c *check) groupOf(sightings []mention) (g group, n int) {
	g = group{eventID: sightings[0].eventID}
	var bodies []string
	for ; n < len(sightings) && sightings[n].eventID == g.eventID; n++ {
		record := sightings[n].index
		body := c.history.Events[record].body()
		i := slices.Index(bodies, body)
		if i < 0 {
			i = len(bodies)
			bodies, g.variants = append(bodies, body), append(g.variants, nil)
		}
		g.variants[i] = append(g.variants[i], record)
	}
	return g, n
}

func (c *check) settleGroup(g group, rows []mention) {
	i := c.at(g.spot)
	first := c.history.Events[g.variants[0][0]].Record()
	if i == none {
		c.report(RulePhantom, string(first.Key), lines(describe(&first)), "the event at %s: no command stands at %s", placeOf(&first), c.placeAt(g.spot))
		return
	}
	c.checkPartitions(&first, g)
	if len(rows) > 1 {
		c.report(RuleOutbox, string(first.Key), nil, "the outbox has event %d of %s twice: source %d, row %d and source %d, row %d", g.number, c.placeAt(g.spot),
			c.outbox(rows[0]).Source, c.outbox(rows[0]).Row, c.outbox(rows[1]).Source, c.outbox(rows[1]).Row)
	}
	if c.history.TimelineChanges == 0 {
		for _, other := range g.variants[1:] {
			again := c.history.Events[other[0]].Record()
			c.report(RuleRepeat, string(first.Key), lines(describe(&first), describe(&again)), "event %d of %s was published as %s, and with other bytes as %s",
				g.number, c.placeAt(g.spot), placeOf(&first), placeOf(&again))
		}
		c.keep(i, g, g.variants[0], rows)
		return
	}
	c.keepSurvivor(i, g, rows)
}

// keepSurvivor keeps what the outbox has; the rest is of a lost timeline.
func (c *check) keepSurvivor(i int32, g group, rows []mention) {
	survived := false
	for _, variant := range g.variants {
		e, r, err := c.readEvent(variant[0], i, g.number)
		if err == nil && !survived && len(rows) > 0 && c.sum(&e, &r) == c.outbox(rows[0]).Sum {
			survived = true
			c.keep(i, g, variant, rows)
			continue
		}
		c.lostEvents = append(c.lostEvents, lostEvent{variant[0], i})
	}
	if !survived && len(rows) > 0 {
		c.unpublished(rows[0])
	}
}

func (c *check) keep(i int32, g group, appearances []int32, rows []mention) {
	e, r, err := c.readEvent(appearances[0], i, g.number)
	if err != nil {
		c.report(RulePhantom, string(r.Key), lines(describe(&r)), "the event at %s: %v", placeOf(&r), err)
		return
	}
	if c.history.TimelineChanges > 0 {
		e.again = appearances[1:]
	}
	switch {
	case len(rows) == 0:
		c.report(RuleOutbox, string(r.Key), lines(describe(&r)), "event %d of %s, at %s, is not in the outbox: no transaction committed it", g.number, c.placeAt(g.spot), placeOf(&r))
	case c.kinds.all[e.kind] != c.outbox(rows[0]).Type:
		c.report(RuleOutbox, string(r.Key), lines(describe(&r)), "the outbox has event %d of %s as %s, published was %s", g.number, c.placeAt(g.spot), c.outbox(rows[0]).Type, c.kinds.all[e.kind])
	case c.outbox(rows[0]).Sum != c.sum(&e, &r):
		c.report(RuleOutbox, string(r.Key), lines(describe(&r)), "the outbox (source %d, row %d) says something else than event %d of %s at %s",
			c.outbox(rows[0]).Source, c.outbox(rows[0]).Row, g.number, c.placeAt(g.spot), placeOf(&r))
	}
	c.events = append(c.events, e)
}

func (c *check) sum(e *event, r *Record) uint64 {
	return sumOf(c.kinds.all[e.kind], string(r.Key), e.sequence, r.Value)
}

// checkPartitions wants all appearances in one partition.
func (c *check) checkPartitions(first *Record, g group) {
	for _, variant := range g.variants {
		for _, record := range variant {
			if at := c.history.Events[record].place(); at.partition != first.Partition {
				c.report(RuleRepeat, string(first.Key), nil, "event %d of %s was published in partition %d, and again in %d", g.number, c.placeAt(g.spot), first.Partition, at.partition)
				return
			}
		}
	}
}

// assignEvents tells each entry where its events are. They are in order already.
func (c *check) assignEvents() {
	for n := range c.events {
		e := &c.entries[c.events[n].entry]
		if e.events == 0 {
			e.first = int32(n)
		}
		e.events++
	}
}
