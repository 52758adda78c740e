package checker

// checkUnreadable wants a dead letter for a command that cannot be read, and nothing else.
func (c *check) checkUnreadable(i int32) {
	e, l := &c.entries[i], c.letterOf(i)
	reason := ""
	if l != nil {
		reason = l.reason
	}
	o := c.decoded(e)
	if l != nil && l.absent { // it failed before it was read
		reason = o.refusal
	}
	if reason != o.refusal || e.events > 0 {
		c.report(RuleEffect, "", func() []string { return c.nearby(i) }, "the command at %s must be refused as %s; it has %d events and the reason %q", o.at, o.refusal, e.events, reason)
	}
}

// checkSilent wants no event of a command that waits, or was discarded.
func (c *check) checkSilent(i int32) {
	e, l := &c.entries[i], c.letterOf(i)
	switch {
	case e.held && l != nil:
		c.report(RuleHeld, c.sku(c.productOf(i)), func() []string { return c.nearby(i) }, "the command at %s waits in held_commands, but has a dead letter, too", c.placeOf(i))
	case e.held && e.events > 0:
		c.report(RuleHeld, c.sku(c.productOf(i)), func() []string { return c.nearby(i) }, "the command at %s waits in held_commands, but has %d events", c.placeOf(i), e.events)
	case !e.held:
		for _, ev := range c.unsequenced(i) {
			c.report(RuleEffect, c.sku(c.productOf(i)), func() []string { return c.nearby(i) }, "the command at %s took no effect, its dead letter is %s, but it has the event %s", c.placeOf(i), l.state(), c.sketchEvent(ev))
		}
	}
}

// checkRejections wants AllocationRejected for each refusal of an Allocate, and for nothing else.
func (c *check) checkRejections() {
	for i := range int32(len(c.entries)) {
		e, l := &c.entries[i], c.letterOf(i)
		if e.unreadable || e.held || l != nil && l.absent {
			continue
		}
		if e.events > 0 || l != nil && l.reason != "" {
			c.checkRejectionsOf(i, l)
		}
	}
}

func (c *check) checkRejectionsOf(i int32, l *letter) {
	events := c.unsequenced(i)
	if len(events) == 0 && l == nil {
		return
	}
	o := c.decoded(&c.entries[i])
	var reasons []string
	if l != nil && l.reason != "" && o.kind == "Allocate" {
		reasons = append([]string{l.reason}, l.further...)
	}
	complain := func(format string, args ...any) {
		c.report(RuleEffect, o.sku, func() []string { return c.nearby(i) }, format, args...)
	}
	if len(reasons) == 0 && len(events) > 0 {
		r := c.recordOf(events[0])
		complain("the %s at %s was not refused, but has an event without a sequence: %s", o.kind, o.at, describe(&r))
		return
	}
	if len(events) < len(reasons) || len(reasons) > 0 && len(events) > 1+l.retries() {
		complain("the Allocate at %s was refused as %v, but has %d events AllocationRejected", o.at, reasons, len(events))
		return
	}
	for n, e := range events {
		reason := reasons[min(n, len(reasons)-1)]
		r := c.recordOf(e)
		if wrong := c.differs(e, &r, o, rejection(o, reason)); wrong != "" && len(reasons) == 1 {
			complain("the refused Allocate at %s, event %d at %s: %s", o.at, e.number, placeOf(&r), wrong)
		}
	}
}
