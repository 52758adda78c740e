package checker

import "fmt"

// timeline is one product with the commands about it.
type timeline struct {
	check   *check
	product *product
	lanes   map[lane][]*outcome // not placed yet, in order
	stopped bool                // something was wrong: what follows would only be its consequence
}

type lane struct {
	topic     string
	partition int32
}

// replay decides every command again, product by product.
func (c *check) replay() {
	timelines := c.timelines()
	for _, t := range timelines {
		t.run()
	}
	c.checkFinal(timelines)
}

// timelines sorts the commands by the product that they are about: by the SKU, or by that of the batch where one of this name exists.
func (c *check) timelines() map[string]*timeline {
	owner := map[string]string{}
	for sku, events := range c.bySKU {
		for _, e := range events {
			if o := c.outcomes[e.command]; e.kind == "BatchCreated" && o.command.kind == "CreateBatch" {
				owner[o.command.ref] = sku
			}
		}
	}
	all := map[string]*timeline{}
	for _, o := range c.order {
		sku := o.command.sku
		if of, ok := owner[o.command.ref]; ok && o.command.ref != "" {
			sku = of
		}
		if o.changed() { // whatever it should have been about, this is the product that it changed
			sku = string(o.events[0].record.Key)
		}
		if o.command.refusal != "" {
			c.checkUnreadable(o)
			continue
		}
		if all[sku] == nil {
			all[sku] = &timeline{check: c, product: &product{sku: sku}, lanes: map[lane][]*outcome{}}
		}
		l := lane{o.command.at.topic, o.command.at.partition}
		all[sku].lanes[l] = append(all[sku].lanes[l], o)
	}
	return all
}

// checkUnreadable wants a dead letter for a command that cannot be read, and nothing else.
func (c *check) checkUnreadable(o *outcome) {
	if o.reason() != o.command.refusal || len(o.events) > 0 {
		c.report(RuleEffect, "", []string{describe(o.command.record)}, "the command at %s must be refused as %s; it has %d events and the reason %q",
			o.command.at, o.command.refusal, len(o.events), o.reason())
	}
}

// run replays the commands that changed the product in the order of its sequence, and finds places for the others as early as can be.
func (t *timeline) run() {
	t.settle()
	for {
		o := t.next()
		if o == nil || t.stopped {
			break
		}
		t.play(o)
		t.settle()
	}
	for _, rest := range t.lanes {
		if len(rest) > 0 && !t.stopped {
			t.misplaced(rest[0])
		}
	}
}

// next is the command whose events come next in sequence, wherever it stands.
func (t *timeline) next() *outcome {
	sequence := t.product.version + 1
	for _, rest := range t.lanes {
		for _, o := range rest {
			if o.changed() && o.events[0].sequence == sequence {
				return o
			}
		}
	}
	return nil
}

// settle takes the commands without effect that have a place here.
func (t *timeline) settle() {
	for l, rest := range t.lanes {
		for len(rest) > 0 && !rest[0].changed() && t.agrees(rest[0]) {
			rest = rest[1:]
		}
		t.lanes[l] = rest
	}
}

// agrees tells whether the model, too, says that a command changes nothing now, and why.
func (t *timeline) agrees(o *outcome) bool {
	effect, reason := t.product.verdict(o.command)
	if effect || reason != o.reason() {
		return false
	}
	t.check.checkRejected(o)
	return true
}

// checkRejected wants AllocationRejected for a refused Allocate, and no event for any other command without effect.
func (c *check) checkRejected(o *outcome) {
	command := o.command
	if command.kind != "Allocate" || o.reason() == "" {
		if len(o.events) > 0 {
			c.report(RuleEffect, command.sku, []string{describe(o.events[0].record)}, "the %s at %s changes nothing, but has an event", command.kind, command.at)
		}
		return
	}
	want := expected{kind: "AllocationRejected", subject: command.orderid,
		data: fieldMap(command.sku, "orderid", command.orderid, "qty", command.qty, "reason", o.reason(), "lineid", command.lineid)}
	if len(o.events) != 1 || o.events[0].number != 0 {
		c.report(RuleEffect, command.sku, nil, "the refused Allocate at %s has %d events, not one", command.at, len(o.events))
	} else if wrong := c.differs(o.events[0], command, want); wrong != "" {
		c.report(RuleEffect, command.sku, []string{describe(o.events[0].record)}, "the refused Allocate at %s: %s", command.at, wrong)
	}
}

// play applies a command with an effect, and compares its events.
func (t *timeline) play(o *outcome) {
	l := lane{o.command.at.topic, o.command.at.partition}
	if first := t.lanes[l][0]; first != o {
		t.misplaced(first)
		return
	}
	t.lanes[l] = t.lanes[l][1:]
	sequence := t.product.version + 1
	if effect, reason := t.product.verdict(o.command); !effect {
		t.wrong(o, sequence, "the %s at %s must have no effect here (reason %q), but has events", o.command.kind, o.command.at, reason)
		return
	}
	want := t.product.apply(o.command)
	for i, e := range want {
		if i >= len(o.events) {
			t.wrong(o, e.sequence, "the %s at %s lacks its event %d: %s %v", o.command.kind, o.command.at, i, e.kind, e.data)
			return
		}
		got := o.events[i]
		if got.number != i {
			t.wrong(o, e.sequence, "the %s at %s lacks its event %d: %s %v", o.command.kind, o.command.at, i, e.kind, e.data)
			return
		}
		if wrong := t.check.differs(got, o.command, e); wrong != "" {
			t.wrong(o, e.sequence, "%s of the %s at %s must be sequence %d, %s %v: %s", got.id, o.command.kind, o.command.at, e.sequence, e.kind, e.data, wrong)
			return
		}
	}
	if len(o.events) > len(want) {
		t.wrong(o, sequence, "the %s at %s has %d events, not %d", o.command.kind, o.command.at, len(o.events), len(want))
	} else if o.letter != nil {
		t.wrong(o, sequence, "the %s at %s has an effect, and a dead letter (%s)", o.command.kind, o.command.at, o.reason())
	}
}

// misplaced reports the first command of a lane that has no place.
func (t *timeline) misplaced(o *outcome) {
	effect, reason := t.product.verdict(o.command)
	saw := fmt.Sprintf("%d events, reason %q", len(o.events), o.reason())
	t.wrong(o, t.product.version, "the %s at %s (%s) has no legal place: here, after sequence %d, it would have an effect: %t, reason %q; it has %s",
		o.command.kind, o.command.at, o.command.record.Value, t.product.version, effect, reason, saw)
}

func (t *timeline) wrong(_ *outcome, sequence int64, format string, args ...any) {
	t.stopped = true
	t.check.report(RuleEffect, t.product.sku, t.check.stretch(t.product.sku, sequence), format, args...)
}

// checkFinal compares what only the model knows with the tables: the last change of each batch.
func (c *check) checkFinal(timelines map[string]*timeline) {
	for _, row := range c.history.Tables.Batches {
		t := timelines[row.SKU]
		if t == nil || t.stopped {
			continue
		}
		if b := t.product.batch(row.Ref); b != nil && b.lastChange != row.LastChange {
			c.report(RuleFold, row.SKU, nil, "batch %s was last changed by %q, the table has %q", row.Ref, b.lastChange, row.LastChange)
		}
	}
}
