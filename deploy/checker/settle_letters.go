package checker

import (
	"cmp"
	"slices"
	"strings"
)

// settleLetters joins what the topic, the outbox and the tables know of each dead letter.
func (c *check) settleLetters(letters, rows []mention) {
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
		r, i := c.history.Letters[m.index].Record(), c.at(m.spot)
		switch {
		case i != none && m.decision:
			c.addDecision(of(i), &r)
		case i != none:
			c.addLetter(of(i), m.index)
		case m.decision:
			c.report(RuleLetter, "", lines(describe(&r)), "the decision at %s is about no command: %s", placeOf(&r), c.placeAt(m.spot))
		default:
			c.report(RulePhantom, "", lines(describe(&r)), "the dead letter at %s belongs to no command: %s", placeOf(&r), c.placeAt(m.spot))
		}
	}
	c.addLetterRows(of)
	for _, r := range rows {
		i := c.at(r.spot)
		decision, decided := strings.CutPrefix(c.outbox(r).Type, decisionType)
		switch {
		case i == none:
		case decided:
			of(i).decided = append(of(i).decided, decision)
		case c.outbox(r).Type == "":
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

func (c *check) addLetter(l *letter, record int32) {
	packed := c.history.Letters[record]
	for _, known := range l.records {
		if c.history.Letters[known].body() == packed.body() {
			return
		}
	}
	l.records = append(l.records, record)
	r := packed.Record()
	if reason := string(r.header("dlq-reason")); !slices.Contains(l.published, reason) {
		l.published = append(l.published, reason)
	}
	command := c.recordOfCommand(&c.entries[l.entry])
	if wrong := c.wrongLetter(&command, &r); wrong != "" {
		c.report(RuleLetter, "", lines(describe(&command), describe(&r)), "the dead letter of %s at %s: %s", c.placeOf(l.entry), placeOf(&r), wrong)
	}
}

func (c *check) addDecision(l *letter, r *Record) {
	command, decision := c.recordOfCommand(&c.entries[l.entry]), string(r.header("dlq-decision"))
	switch {
	case decision != stateRetried && decision != stateDiscarded || r.Value != nil:
		c.report(RuleLetter, "", lines(describe(r)), "the decision at %s must be %s or %s, without a value", placeOf(r), stateRetried, stateDiscarded)
	case !sameBytes(r.Key, command.Key):
		c.report(RuleLetter, "", lines(describe(r)), "the decision at %s about %s has another key than the command", placeOf(r), c.placeOf(l.entry))
	}
	l.decisions = append(l.decisions, decision)
}

func (c *check) addLetterRows(of func(int32) *letter) {
	for i := range c.history.Tables.Letters {
		row := &c.history.Tables.Letters[i]
		at := spot{none, row.Offset}
		if l, ok := c.sources[row.CommandSource]; ok {
			at.partition = l
		}
		n := c.at(at)
		if n == none {
			c.report(RuleOutbox, "", nil, "dead_letters has a row (source %d, row %d, %s) of no command: %s", row.Source, row.Row, row.Reason, c.placeAt(at))
			continue
		}
		l := of(n)
		l.rows = append(l.rows, row)
		command := c.recordOfCommand(&c.entries[n])
		if !sameBytes(row.Key, command.Key) || !sameBytes(row.Value, command.Value) {
			c.report(RuleOutbox, "", lines(describe(&command)), "the row in dead_letters of %s (source %d, row %d) has another key or value", c.placeOf(n), row.Source, row.Row)
		}
	}
}

// settleLetter wants topic, outbox and tables to agree. False: there is no dead letter after all.
func (c *check) settleLetter(l *letter) bool {
	at := c.placeOf(l.entry)
	slices.SortStableFunc(l.rows, func(a, b *LetterRow) int {
		return cmp.Or(cmp.Compare(a.Retries, b.Retries), cmp.Compare(a.Row, b.Row))
	})
	if len(l.rows) == 0 && c.history.TimelineChanges > 0 {
		c.lostEvents = append(c.lostEvents, lostEvent{none, l.entry})
		return false
	}
	switch {
	case len(l.published) == 0 && len(l.rows) == 0 && l.outbox == 0:
		c.report(RuleLetter, "", nil, "an operator decided about %s, which has no dead letter", at)
		return false
	case len(l.published) == 0:
		c.report(RuleOutbox, "", nil, "the outbox has a dead letter of %s, which was never published", at)
		return false
	case len(l.rows) == 0:
		c.report(RuleOutbox, "", func() []string { return c.nearby(l.entry) }, "the dead letter of %s is not in dead_letters: no transaction committed it", at)
	case l.outbox != len(l.rows):
		c.report(RuleOutbox, "", func() []string { return c.nearby(l.entry) }, "the outbox has %d dead letters of %s, dead_letters has %d", l.outbox, at, len(l.rows))
	}
	c.settleReasons(l)
	c.checkDecisions(l)
	l.conclude()
	return true
}

// settleReasons wants the reasons of the tables to be published, and nothing that is not in the
// tables.
func (c *check) settleReasons(l *letter) {
	at := c.placeOf(l.entry)
	known := func(reason string) bool { return len(l.rows) == 0 || slices.Contains(l.reasons(), reason) }
	for _, row := range l.rows {
		if !slices.Contains(l.published, row.Reason) {
			c.report(RuleOutbox, "", nil, "the row in dead_letters of %s is %s, published was %v", at, row.Reason, l.published)
		}
	}
	if len(l.records) <= max(1, len(l.rows)) && !slices.ContainsFunc(l.published, func(reason string) bool { return !known(reason) }) {
		return
	}
	if c.history.TimelineChanges > 0 {
		c.lostEvents = append(c.lostEvents, lostEvent{none, l.entry})
		return
	}
	if len(l.records) == 1 { // reported above
		return
	}
	first, again := c.history.Letters[l.records[0]].Record(), c.history.Letters[l.records[len(l.records)-1]].Record()
	c.report(RuleRepeat, "", lines(describe(&first), describe(&again)), "the dead letter of %s was published as %s, and with other bytes as %s", at, placeOf(&first), placeOf(&again))
}

// checkDecisions wants what operators decided in the tables, in the outbox and in the topic. A
// timeline that was lost leaves decisions in the topic.
func (c *check) checkDecisions(l *letter) {
	at := c.placeOf(l.entry)
	for _, row := range l.rows {
		switch row.State {
		case stateOpen:
		case stateRetried, stateDiscarded:
			if !slices.Contains(l.decided, row.State) || !slices.Contains(l.decisions, row.State) {
				c.report(RuleLetter, "", nil, "the dead letter of %s is %s; the outbox has the decisions %v, published were %v", at, row.State, l.decided, l.decisions)
			}
		default:
			c.report(RuleHeld, "", func() []string { return c.nearby(l.entry) }, "the dead letter of %s is %s: what was decided is not done yet", at, row.State)
		}
	}
	if c.history.TimelineChanges > 0 {
		return
	}
	for _, decision := range l.decisions {
		if !slices.Contains(l.decided, decision) {
			c.report(RuleLetter, "", nil, "the decision %s of %s was published, but is not in the outbox: no transaction committed it", decision, at)
			return
		}
	}
}
