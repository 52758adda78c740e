package checker

import "strconv"

// checkOutbox wants every committed row in the topics, and nothing there without a row.
func (c *check) checkOutbox() {
	sources := map[int32]PositionRow{}
	for _, p := range c.history.Tables.Positions {
		sources[p.Source] = p
	}
	letters := map[letterKey]LetterRow{}
	for _, row := range c.history.Tables.Letters {
		letters[letterKey{row.Source, row.Row}] = row
	}
	rows := map[string]bool{}
	refused := map[place]bool{}
	for _, row := range c.history.Tables.Outbox {
		p := sources[row.Source]
		if row.Type == "" {
			at := place{p.Topic, p.Partition, row.Offset}
			c.checkLetterRow(at, refused[at], letters[letterKey{row.Source, row.Row}])
			refused[at] = true
			continue
		}
		id := p.TopicID + "." + strconv.Itoa(int(p.Partition)) + "." + strconv.FormatInt(row.Offset, 10) + "." + strconv.Itoa(int(row.Event))
		switch e := c.firsts[id]; {
		case rows[id]:
			c.report(RuleOutbox, "", nil, "the outbox has %s twice: source %d, row %d", id, row.Source, row.Row)
		case e == nil:
			c.report(RuleOutbox, "", nil, "the outbox has the %s %s (source %d, row %d), which was never published", row.Type, id, row.Source, row.Row)
		case e.kind != row.Type:
			c.report(RuleOutbox, "", nil, "the outbox has %s as %s, published was %s", id, row.Type, e.kind)
		}
		rows[id] = true
	}
	for id, e := range c.firsts {
		if !rows[id] {
			c.report(RuleOutbox, string(e.record.Key), []string{describe(e.record)}, "%s at %s is not in the outbox: no transaction committed it", id, placeOf(e.record))
		}
	}
	for at, o := range c.outcomes {
		if o.letter != nil && !refused[at] {
			c.report(RuleOutbox, "", []string{describe(o.letter.record)}, "the dead letter of %s is not in the outbox", at)
		}
	}
}

// letterKey is the primary key of dead_letters.
type letterKey struct {
	Source int32
	Row    int64
}

func (c *check) checkLetterRow(at place, twice bool, row LetterRow) {
	o := c.outcomes[at]
	switch {
	case twice:
		c.report(RuleOutbox, "", nil, "the outbox has the dead letter of %s twice", at)
	case o == nil || o.letter == nil:
		c.report(RuleOutbox, "", nil, "the outbox has a dead letter of %s, which was never published", at)
	case row.Offset != at.offset || row.Reason != o.letter.reason || !sameBytes(row.Key, o.command.record.Key) || !sameBytes(row.Value, o.command.record.Value):
		c.report(RuleOutbox, "", nil, "the row in dead_letters of %s is not what was published", at)
	}
}
