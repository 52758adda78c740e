package checker

import (
	"slices"
)

// settleLetters joins what the topic, the outbox and the tables know of each dead letter.
func (c *check) settleLetters(letters, decisions []mention, rows []row) {
	all := map[int32]*letter{}
	of := func(i int32) *letter {
		l := all[i]
		if l == nil {
			l = &letter{entry: i}
			all[i] = l
			c.letters = append(c.letters, l)
		}
		return l
	}
	for _, m := range letters {
		if i := c.at(m.spot); i != none {
			c.addLetter(of(i), m)
		} else {
			r := c.history.Letters[m.record].Record()
			c.report(RulePhantom, "", lines(describe(&r)), "the dead letter at %s belongs to no command: %s", placeOf(&r), c.placeAt(m.spot))
		}
	}
	for _, m := range decisions {
		if i := c.at(m.spot); i != none {
			c.addDecision(of(i), m)
		} else {
			r := c.history.Letters[m.record].Record()
			c.report(RuleLetter, "", lines(describe(&r)), "the decision at %s is about no command: %s", placeOf(&r), c.placeAt(m.spot))
		}
	}
	c.addLetterRows(of)
	for _, r := range rows {
		if i := c.at(r.spot); c.outbox(r).Type == "" && i != none {
			of(i).outbox++
		}
	}
	kept := c.letters[:0]
	for _, l := range c.letters {
		if c.settleLetter(l) {
			c.entries[l.entry].letter = int32(len(kept))
			kept = append(kept, l)
		}
	}
	c.letters = kept
}

func (c *check) addLetter(l *letter, m mention) {
	packed := c.history.Letters[m.record]
	for _, known := range l.records {
		if c.history.Letters[known].body() == packed.body() {
			return
		}
	}
	l.records = append(l.records, m.record)
	r := packed.Record()
	if reason := string(r.header("dlq-reason")); !slices.Contains(l.reasons, reason) {
		l.reasons = append(l.reasons, reason)
	}
	if e := &c.entries[l.entry]; e.record != none {
		command := c.history.Commands[e.record].Record()
		if wrong := c.wrongLetter(&command, &r); wrong != "" {
			c.report(RuleLetter, "", lines(describe(&command), describe(&r)), "the dead letter of %s at %s: %s", c.placeOf(l.entry), placeOf(&r), wrong)
		}
	}
}

func (c *check) addDecision(l *letter, m mention) {
	r := c.history.Letters[m.record].Record()
	e := &c.entries[l.entry]
	switch {
	case m.decision != stateRetried && m.decision != stateDiscarded || r.Value != nil:
		c.report(RuleLetter, "", lines(describe(&r)), "the decision at %s must be %s or %s, without a value", placeOf(&r), stateRetried, stateDiscarded)
	case e.record != none && !sameBytes(r.Key, c.keyOf(e)):
		c.report(RuleLetter, "", lines(describe(&r)), "the decision at %s about %s has another key than the command", placeOf(&r), c.placeOf(l.entry))
	}
	l.decisions = append(l.decisions, m.decision)
}

func (c *check) keyOf(e *entry) []byte { r := c.history.Commands[e.record].Record(); return r.Key }

func (c *check) addLetterRows(of func(int32) *letter) {
	for i := range c.history.Tables.Letters {
		row := &c.history.Tables.Letters[i]
		source := row.CommandSource
		if source == 0 {
			source = row.Source
		}
		at := spot{none, row.Offset}
		if l, ok := c.sources[source]; ok {
			at.lane = l
		}
		n := c.at(at)
		if n == none {
			c.report(RuleOutbox, "", nil, "dead_letters has a row (source %d, row %d, %s) of no command: %s", row.Source, row.Row, row.Reason, c.placeAt(at))
			continue
		}
		l := of(n)
		l.rows = append(l.rows, row)
		if e := &c.entries[n]; e.record != none {
			command := c.history.Commands[e.record].Record()
			if !sameBytes(row.Key, command.Key) || !sameBytes(row.Value, command.Value) {
				c.report(RuleOutbox, "", lines(describe(&command)), "the row in dead_letters of %s (source %d, row %d) has another key or value", c.placeOf(n), row.Source, row.Row)
			}
		}
	}
}

// settleLetter wants topic, outbox and tables to agree. False: there is no dead letter after all.
func (c *check) settleLetter(l *letter) bool {
	at := c.placeOf(l.entry)
	slices.SortStableFunc(l.rows, func(a, b *LetterRow) int { return int(a.Row - b.Row) })
	if len(l.rows) == 0 && c.history.TimelineChanges > 0 {
		c.stray = append(c.stray, stray{none, l.entry})
		return false
	}
	var first Record
	if len(l.records) > 0 {
		first = c.history.Letters[l.records[0]].Record()
	}
	switch {
	case len(l.reasons) == 0 && len(l.rows) == 0 && len(l.decisions) > 0:
		c.report(RuleLetter, "", nil, "an operator decided about %s, which has no dead letter", at)
		return false
	case len(l.reasons) == 0:
		c.report(RuleOutbox, "", nil, "the outbox has a dead letter of %s, which was never published", at)
		return false
	case len(l.rows) == 0:
		c.report(RuleOutbox, "", lines(describe(&first)), "the dead letter of %s is not in dead_letters: no transaction committed it", at)
	case l.outbox == 0:
		c.report(RuleOutbox, "", lines(describe(&first)), "the dead letter of %s is not in the outbox", at)
	case l.outbox > 1+l.retries()+len(l.decisions):
		c.report(RuleOutbox, "", nil, "the outbox has the dead letter of %s %d times, after %d retries", at, l.outbox, l.retries())
	}
	c.settleReasons(l)
	c.checkDecisions(l)
	l.conclude()
	return true
}

// settleReasons wants the reasons of the tables to be published, and no more variants than retries explain.
func (c *check) settleReasons(l *letter) {
	at := c.placeOf(l.entry)
	for _, row := range l.rows {
		if !slices.Contains(l.reasons, row.Reason) {
			c.report(RuleOutbox, "", nil, "the row in dead_letters of %s is %s, published was %v", at, row.Reason, l.reasons)
		}
	}
	if len(l.records) <= 1+l.retries() {
		return
	}
	if c.history.TimelineChanges == 0 {
		first, again := c.history.Letters[l.records[0]].Record(), c.history.Letters[l.records[1]].Record()
		c.report(RuleRepeat, "", lines(describe(&first), describe(&again)), "the dead letter of %s was published as %s, and with other bytes as %s", at, placeOf(&first), placeOf(&again))
		return
	}
	survived := func(reason string) bool {
		return slices.ContainsFunc(l.rows, func(row *LetterRow) bool { return row.Reason == reason })
	}
	if l.retries() == 0 {
		l.reasons = slices.DeleteFunc(l.reasons, func(reason string) bool { return !survived(reason) })
		c.stray = append(c.stray, stray{none, l.entry})
	}
}

// checkDecisions wants the last decision to be what the table says. A timeline that was lost takes decisions with it.
func (c *check) checkDecisions(l *letter) {
	state := l.state()
	if c.history.TimelineChanges > 0 || state == "" {
		return
	}
	last := ""
	if len(l.decisions) > 0 {
		last = l.decisions[len(l.decisions)-1]
	}
	at := c.placeOf(l.entry)
	switch {
	case (state == stateRetried || state == stateDiscarded) && last != state:
		c.report(RuleLetter, "", nil, "the dead letter of %s is %s, but the last decision published is %q", at, state, last)
	case state == stateOpen && (last == stateDiscarded || last == stateRetried && l.retries() == 0):
		c.report(RuleLetter, "", nil, "the dead letter of %s is open, but the decision %q was published", at, last)
	case state == stateReleased:
		c.report(RuleHeld, "", nil, "the dead letter of %s was released, and is not applied yet", at)
	}
}
