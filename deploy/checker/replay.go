package checker

// timeline is one product with the commands about it.
type timeline struct {
	check       *check
	number      int32
	product     *product
	steps       []step
	byPartition map[int32][]int // steps, in the order of their partition
	quiets      []*quiet        // by the least of steps before them
	active      []*quiet
	stopped     bool // something was wrong: what follows would only be its consequence
}

// replay decides every command again, product by product.
func (c *check) replay() {
	c.quiet = make([]bracket, len(c.entries))
	for i := range c.quiet {
		c.quiet[i].after = many // not placed
		if e := &c.entries[i]; e.unreadable {
			c.checkUnreadable(int32(i))
		}
	}
	rows := c.history.Tables.bySKU()
	for p := range int32(len(c.traits)) {
		t := &timeline{check: c, number: p, product: newProduct(c.skus.all[p]), steps: c.stepsOf(p)}
		t.run()
		if !t.stopped {
			c.checkTables(t.product, rows[t.product.sku])
		}
		delete(rows, t.product.sku)
	}
	for sku := range rows {
		c.report(RuleFold, sku, nil, "the tables have rows of it, of which there is no event")
	}
}

func (t *timeline) loose() bool { return t.check.traits[t.number].loose }

// run replays the commands that changed the product in the order of its sequence, and finds places
// for the others.
func (t *timeline) run() {
	t.checkPartitions()
	t.listen()
	for k := range t.steps {
		t.settle(k)
		if t.stopped {
			return
		}
		t.play(k)
	}
	t.settle(len(t.steps))
}

// checkPartitions wants the commands of a partition to take effect in its order.
func (t *timeline) checkPartitions() {
	t.byPartition = map[int32][]int{}
	for k, s := range t.steps {
		if l := t.check.letterOf(s.entry); l != nil && l.reason != "" {
			continue // an operator sent it again
		}
		partition := t.check.entries[s.entry].partition
		if before := t.byPartition[partition]; len(before) > 0 && t.steps[before[len(before)-1]].entry > s.entry {
			last := t.steps[before[len(before)-1]].entry
			t.wrong(k, "the command at %s took effect (sequence %d) after that at %s (sequence %d), which stands after it in its partition",
				t.check.placeOf(s.entry), t.check.events[s.events[0]].sequence, t.check.placeOf(last), t.sequenceAfter(before[len(before)-1]+1))
			return
		}
		t.byPartition[partition] = append(t.byPartition[partition], k)
	}
}

// play applies a command with an effect, and compares its events.
func (t *timeline) play(k int) {
	c, s := t.check, t.steps[k]
	at := c.placeOf(s.entry)
	first := &c.events[s.events[0]]
	if c.entries[s.entry].unreadable {
		t.wrong(k, "the command at %s cannot be read, but has the events %s", at, c.sketchEvent(first))
		return
	}
	if wrong := t.license(k, first.number); wrong != "" {
		t.wrong(k, "the command at %s has the effect of sequence %d, but %s", at, first.sequence, wrong)
		return
	}
	o := c.decoded(&c.entries[s.entry])
	if effect, reason := t.product.verdict(o); !effect {
		t.wrong(k, "the %s at %s must have no effect here, after sequence %d (reason %q), but has events", o.kind, at, t.product.version, reason)
		return
	}
	want := t.product.apply(o)
	for i, expected := range want {
		if i >= len(s.events) || c.events[s.events[i]].number != first.number+int32(i) {
			t.wrong(k, "the %s at %s lacks its event %d: %s", o.kind, at, i, expected.text())
			return
		}
		e := &c.events[s.events[i]]
		r := c.recordOf(e)
		if wrong := c.differs(e, &r, o, expected); wrong != "" {
			t.wrong(k, "event %d of the %s at %s, published at %s, must be %s: %s", e.number, o.kind, at, placeOf(&r), expected.text(), wrong)
			return
		}
	}
	if len(s.events) > len(want) {
		t.wrong(k, "the %s at %s has %d events, not %d", o.kind, at, len(s.events), len(want))
	}
}

// license says why a command may not take effect now, judged by its dead letter and earlier
// effects; empty where it may.
func (t *timeline) license(k int, number int32) string {
	earlier, entry := 0, t.steps[k].entry
	if e := &t.check.entries[entry]; int(e.events) > len(t.steps[k].events) {
		for _, s := range t.steps[:k] {
			if s.entry == entry {
				earlier++
			}
		}
	}
	l := t.check.letterOf(entry)
	switch {
	case l == nil && earlier > 0 || l != nil && l.done > 0 && earlier >= l.done:
		return "it took effect before, too"
	case l == nil && number > 0:
		return "its events are not numbered from 0"
	case l == nil:
		return ""
	case l.absent && l.state() == stateDiscarded:
		return "its dead letter was discarded"
	case l.absent:
		return "its dead letter holds the product, and no operator had it applied again"
	case l.done < 1:
		return "it was refused as " + l.reason + ", and no operator had it applied again"
	}
	return ""
}

func (t *timeline) wrong(k int, format string, args ...any) {
	t.stopped = true
	i := t.steps[k].entry
	t.check.report(RuleEffect, t.product.sku, func() []string { return append(t.check.nearby(i), t.check.passage(t.steps, k)...) }, format, args...)
}
