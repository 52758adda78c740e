package story

import "slices"

// takeReady looks at the lines that an OrderReady has. What stock says of them is compared at the
// end: its events may be taken later.
func (c *Checker) takeReady(o *order, m *message) {
	has := map[string]bool{}
	for _, pick := range m.Lines {
		l := o.lines[pick.LineID]
		if l == nil || l.sku != pick.SKU || l.qty != pick.Qty || l.closed != "" || has[pick.LineID] {
			c.report(RuleFold, o.id, "%s has the line %s of %d %s, which is not open, or twice", m, pick.LineID, pick.Qty, pick.SKU)
		}
		has[pick.LineID] = true
		if at := (spot{pick.BatchRef, pick.Fact}); l != nil && !slices.Contains(l.readyOn, at) {
			l.readyOn = append(l.readyOn, at)
		}
		c.askedOf(&message{data: data{OrderID: o.id, LineID: pick.LineID}}).announced++
	}
	if len(has) == 0 {
		c.report(RuleReady, o.id, "%s has no line", m)
	}
	for line, l := range o.lines {
		if l.closed == "" && !has[line] {
			c.takeLeftOut(o, line, m)
		}
	}
}

// takeLeftOut takes that an OrderReady lacks a line that is wanted. The line has left, so it was
// announced before.
func (c *Checker) takeLeftOut(o *order, line string, m *message) {
	l := o.lines[line]
	if len(l.readyOn) == 0 {
		c.report(RuleReady, o.id, "%s lacks the line %s of %d %s, which is wanted and was never announced", m, line, l.qty, l.sku)
	}
	l.leftOut = true
}

// checkReady: stock put each line on the batch from which it was announced ready, by the event that
// was named, and that batch arrived. When it did is not asked, since orders may have heard of it
// much later. A line that was left out has left.
func (c *Checker) checkReady() {
	for _, o := range c.orders {
		for line, l := range o.lines {
			id := lineID{o.id, line}
			s := c.atStock(id, l)
			if l.leftOut && (s == nil || s.state != dispatched) {
				c.report(RuleReady, id.String(), "the order was announced ready without the line of %d %s, which has not left", l.qty, l.sku)
			}
			for _, at := range l.readyOn {
				if s == nil || !slices.Contains(s.wasOn, at) {
					c.report(RuleReady, id.String(), "the line was announced ready on %s by the event %d, which did not put it there", at.ref, at.fact)
				} else if !c.products[l.sku].batches[at.ref].came {
					c.report(RuleReady, id.String(), "the line was announced ready on %s, which never arrived", at.ref)
				}
			}
		}
	}
}
