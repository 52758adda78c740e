package story

import "slices"

// asked is what stock was asked about a line of a customer's order, and what else is known of it.
type asked struct {
	sku       string
	qty       int64 // of Allocate
	allocates int
	gives     int // Deallocates
	announced int // how often OrderReady had it

	picks []uint64 // the warehouse's PickLines, by what they say
	told  int      // how often there is a record of one: repeats, too
	sends []uint64 // Dispatches, by what they say

	rejected string // why stock did not take it
}

func (c *Checker) askedOf(m *message) *asked {
	id := lineID{m.OrderID, m.LineID}
	a := c.asked[id]
	if a == nil {
		a = &asked{}
		c.asked[id] = a
	}
	return a
}

// takeAsked takes a command for stock.
func (c *Checker) takeAsked(m *message) {
	switch m.kind {
	case "Allocate", "Deallocate", "Dispatch":
	default:
		return
	}
	if m.unreadable != nil || customerOf(m.OrderID) == "" {
		c.report(RuleCommand, m.OrderID, "%s is about no customer's line: %v", m, m.unreadable)
		return
	}
	a := c.askedOf(m)
	if a.sku != "" && a.sku != m.SKU || string(m.record.Key) != m.SKU {
		c.report(RuleCommand, m.OrderID, "%s has the key %q and is about %s; others about the line are about %s", m, m.record.Key, m.SKU, a.sku)
	}
	a.sku = m.SKU
	switch m.kind {
	case "Allocate":
		if a.allocates++; a.qty != 0 && a.qty != m.Qty {
			c.report(RuleCommand, m.OrderID, "%s asks for %d; before it was %d", m, m.Qty, a.qty)
		}
		a.qty = m.Qty
	case "Deallocate":
		a.gives++
	case "Dispatch":
		a.sends = once(a.sends, m)
	}
	if m.kind != "Dispatch" && m.correlation != m.OrderID {
		c.report(RuleCommand, m.OrderID, "%s has the correlation %q, which is not its order", m, m.correlation)
	}
}

// checkSends: the warehouse tells itself to pick a line once for each OrderReady. It tells stock at
// most once for each time that it was told itself.
func (c *Checker) checkSends(id lineID, a *asked) {
	if len(a.sends) > a.told {
		c.report(RulePick, id.String(), "stock was told %d times that the line left; the warehouse was told %d times to pick it", len(a.sends), a.told)
	}
	if len(a.picks) != a.announced {
		c.report(RulePick, id.String(), "the line was announced ready %d times; the warehouse was told to pick it %d times, without repeats", a.announced, len(a.picks))
	}
}

// once adds a message to those that there were, unless it is a repeat.
func once(sums []uint64, m *message) []uint64 {
	if sum := m.sum(); !slices.Contains(sums, sum) {
		return append(sums, sum)
	}
	return sums
}

// checkAsked compares what stock was asked with what customers wanted.
func (c *Checker) checkAsked() {
	for id, a := range c.asked {
		var l *orderLine
		if o := c.orders[id.order]; o != nil {
			l = o.lines[id.line]
		}
		switch {
		case l == nil:
			c.report(RuleCommand, id.String(), "stock was asked for a line (%d Allocate, %d Deallocate, %d Dispatch) that no order has", a.allocates, a.gives, len(a.sends))
		case a.allocates > 0 && (l.sku != a.sku || l.qty != a.qty):
			c.report(RuleCommand, id.String(), "stock was asked for %d %s; the line is of %d %s", a.qty, a.sku, l.qty, l.sku)
		}
		c.checkSends(id, a)
	}
	for _, o := range c.orders {
		for line := range o.lines {
			if a := c.asked[lineID{o.id, line}]; a == nil || a.allocates == 0 {
				c.report(RuleCommand, o.id, "stock was never asked for the line %s", line)
			}
		}
	}
}
