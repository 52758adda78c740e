package checker

// checkHeld wants held keys to be held by a dead letter that waits for its operator, and nothing of
// theirs to have passed by.
func (c *check) checkHeld() {
	type row struct {
		source int32
		number int64
	}
	letters := map[row]*letter{}
	for _, l := range c.letters {
		for _, r := range l.rows {
			letters[row{r.Source, r.Row}] = l
		}
	}
	t := &c.history.Tables
	held, holds := map[string]bool{}, map[*letter]bool{}
	for _, key := range t.HeldKeys {
		l := letters[row{key.Source, key.Row}]
		held[key.Key], holds[l] = true, true
		switch {
		case l == nil:
			c.report(RuleHeld, key.Key, nil, "it is held by a dead letter that does not exist: source %d, row %d", key.Source, key.Row)
		case !l.held() || !l.absent || l.state() == stateDiscarded:
			c.report(RuleHeld, key.Key, func() []string { return c.nearby(l.entry) }, "it is held by the dead letter of %s, which is %s (%v)", c.placeOf(l.entry), l.state(), l.reasons())
		default:
			c.checkPassed(key.Key, l.entry)
		}
	}
	for _, l := range c.letters {
		waits := l.absent && l.state() != stateDiscarded && l.state() != ""
		if waits && c.sku(c.productOf(l.entry)) != "" && !c.entries[l.entry].unreadable && !holds[l] {
			c.report(RuleHeld, c.sku(c.productOf(l.entry)), func() []string { return c.nearby(l.entry) }, "the dead letter of %s is %s and holds no key", c.placeOf(l.entry), l.state())
		}
	}
	last := map[spot]int32{} // by key and partition
	for _, row := range t.HeldCommands {
		c.checkHeldCommand(row, held, last)
	}
}

// checkHeldCommand wants the commands that wait to be commands, behind a key that is held, in the
// order of their partition.
func (c *check) checkHeldCommand(row HeldCommandRow, held map[string]bool, last map[spot]int32) {
	i := c.heldEntry(row)
	if i == none {
		c.report(RuleHeld, row.Key, nil, "held_commands has a row %d of no command: source %d, offset %d", row.Seq, row.CommandSource, row.Offset)
		return
	}
	if !held[row.Key] {
		c.report(RuleHeld, row.Key, func() []string { return c.nearby(i) }, "the command at %s waits for it, but it is not held", c.placeOf(i))
	}
	e := &c.entries[i]
	key := spot{e.partition, int64(c.skus.number(row.Key))}
	if before, ok := last[key]; ok && before >= i {
		c.report(RuleHeld, row.Key, func() []string { return c.nearby(i) }, "the command at %s waits behind that at %s, which stands after it in its partition", c.placeOf(i), c.placeOf(before))
	}
	last[key] = i
	if r := c.history.Commands[e.record].Record(); string(r.Value) != string(row.Value) {
		c.report(RuleHeld, row.Key, lines(describe(&r)), "the command at %s waits with another value: %s", c.placeOf(i), shorten(row.Value))
	}
}

func (c *check) heldEntry(row HeldCommandRow) int32 {
	l, ok := c.sources[row.CommandSource]
	if !ok {
		return none
	}
	return c.at(spot{l, row.Offset})
}

// checkPassed wants commands of a held product to wait, if they come after the command that holds
// it, or after one that waits, in the same partition.
func (c *check) checkPassed(sku string, holder int32) {
	p := c.skus.find(sku)
	if p == none || int(p) >= len(c.traits) {
		return
	}
	behind := map[int32]int32{c.entries[holder].partition: holder}
	for _, i := range c.byProduct.of(p) {
		e := &c.entries[i]
		first, waits := behind[e.partition]
		switch {
		case e.held && !waits:
			behind[e.partition] = i
		case !e.held && waits && i > first:
			c.report(RuleHeld, sku, func() []string { return c.nearby(i) }, "the command at %s overtook that at %s: the product is held by the dead letter of %s", c.placeOf(i), c.placeOf(first), c.placeOf(holder))
			return
		}
	}
}

// markHeld notes which commands wait.
func (c *check) markHeld() {
	for _, row := range c.history.Tables.HeldCommands {
		if i := c.heldEntry(row); i != none {
			c.entries[i].held = true
		}
	}
}
