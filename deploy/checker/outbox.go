package checker

import (
	"slices"
	"strings"
)

func (c *check) outbox(r mention) *OutboxRow { return &c.history.Tables.Outbox[r.index] }

func (c *check) readRows() (rows []mention) {
	for i := range c.history.Tables.Outbox {
		o := &c.history.Tables.Outbox[i]
		l, ok := c.sources[o.CommandSource]
		if !ok {
			c.report(RuleOutbox, "", nil, "the outbox has a row of the source %d, which has no position: row %d, %s", o.CommandSource, o.Row, o.Type)
			continue
		}
		rows = append(rows, mention{eventID: eventID{spot{l, o.Offset}, o.Event}, index: int32(i)})
	}
	return rows
}

// isEvent reports whether a row is neither a dead letter nor a decision about one.
func (c *check) isEvent(r mention) bool {
	kind := c.outbox(r).Type
	return kind != "" && !strings.HasPrefix(kind, decisionType)
}

func (c *check) unpublished(r mention) {
	o := c.outbox(r)
	c.report(RuleOutbox, "", nil, "the outbox has the %s, event %d of %s (source %d, row %d), which was never published", o.Type, r.number, c.placeAt(r.spot), o.Source, o.Row)
}

// checkRowNumbers wants the rows of each source numbered from 0 without gaps, up to its next row.
func (c *check) checkRowNumbers() {
	numbers := map[int32][]bool{}
	for _, p := range c.history.Tables.Positions {
		numbers[p.Source] = make([]bool, p.NextRow)
	}
	for i := range c.history.Tables.Outbox {
		o := &c.history.Tables.Outbox[i]
		if n := numbers[o.Source]; o.Row < 0 || o.Row >= int64(len(n)) || n[o.Row] {
			c.report(RuleOutbox, "", nil, "the outbox has a row (source %d, row %d) twice, or beyond the source's next row %d", o.Source, o.Row, len(n))
		} else {
			n[o.Row] = true
		}
	}
	for source, n := range numbers {
		if missing := slices.Index(n, false); missing >= 0 {
			c.report(RuleOutbox, "", nil, "the outbox lacks row %d of source %d, whose next row is %d", missing, source, len(n))
		}
	}
}
