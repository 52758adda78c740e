package story

// checkVIPs: each customer with three placed orders or more was told once, others never. That it
// came with the third is known from the order of events.
func (c *Checker) checkVIPs() {
	for _, who := range c.customers {
		want := 0
		if who.placed >= vipFrom {
			want = 1
		}
		if who.told != want {
			c.report(RuleVIP, who.id, "the customer has placed %d orders, and was told %d times to be a VIP", who.placed, who.told)
		}
	}
}

// atStock is a line as stock has it; nil where it has none.
func (c *Checker) atStock(id lineID, l *orderLine) *stockLine {
	p := c.products[l.sku]
	if p == nil {
		return nil
	}
	return p.lines[id]
}

// left is how many lines of an order have left, as stock says.
func (c *Checker) left(o *order) (n int) {
	for line, l := range o.lines {
		if s := c.atStock(lineID{o.id, line}, l); s != nil && s.state == dispatched {
			n++
		}
	}
	return n
}

// checkLines: stock keeps nothing for lines that are closed, and has all others. A cart has
// none: all is quiet only when each line in a cart had its time.
func (c *Checker) checkLines() {
	for _, o := range c.orders {
		for line, l := range o.lines {
			id := lineID{o.id, line}
			s, closed := c.atStock(id, l), l.closed
			if o.ended == cancelled || o.ended == expired {
				closed = o.ended
			}
			switch {
			case closed != "" && s != nil && (s.state == waiting || s.state == allocated):
				c.report(RuleBehind, id.String(), "the line of %d %s is %s, and at stock %s %s", l.qty, l.sku, closed, s.state, s.batch)
			case closed != "":
			case s == nil:
				c.report(RuleStuck, id.String(), "the line of %d %s is wanted, and stock does not have it (rejected: %q)", l.qty, l.sku, c.asked[id].reason())
			case s.state == cancelled:
				c.report(RuleStuck, id.String(), "the line of %d %s is wanted, and cancelled at stock", l.qty, l.sku)
			case !o.placed:
				c.report(RuleBehind, id.String(), "the line of %d %s is %s at stock, in a cart that did not expire", l.qty, l.sku, s.state)
			}
		}
	}
	for _, p := range c.products {
		for id, s := range p.lines {
			if o := c.orders[id.order]; o == nil || o.lines[id.line] == nil || o.lines[id.line].sku != p.sku {
				c.report(RuleBehind, id.String(), "stock has a line of %d %s, %s, that no order has", s.qty, p.sku, s.state)
			}
		}
		c.checkWaiting(p)
	}
}

func (a *asked) reason() string {
	if a == nil {
		return ""
	}
	return a.rejected
}

// checkWaiting: no line waits for what a batch has.
func (c *Checker) checkWaiting(p *product) {
	most := int64(-1)
	ref := ""
	for _, b := range p.batches {
		if free := b.qty - b.allocated; free > most {
			most, ref = free, b.ref
		}
	}
	for id, s := range p.lines {
		if s.state == waiting && s.qty <= most {
			c.report(RuleStuck, id.String(), "the line waits for %d %s, and the batch %s has %d", s.qty, p.sku, ref, most)
		}
	}
}

// checkPlaced: each placed order is over, or waits for goods that there are not.
func (c *Checker) checkPlaced() {
	for _, o := range c.orders {
		if !o.placed || o.ended == cancelled {
			continue
		}
		wanted, left, missing := 0, 0, 0
		for line, l := range o.lines {
			if l.closed != "" {
				continue
			}
			wanted++
			switch s := c.atStock(lineID{o.id, line}, l); {
			case s == nil || s.state == cancelled: // checkLines tells
			case s.state == dispatched:
				left++
			case s.state == waiting || !c.products[l.sku].batches[s.batch].arrived:
				missing++
			}
		}
		switch {
		case o.ended == dispatched && (left < wanted || wanted == 0):
			c.report(RuleArrived, o.id, "the order was told to be dispatched; of its %d lines %d left", wanted, left)
		case o.ended == "" && missing == 0:
			c.report(RuleStuck, o.id, "the order is placed and nothing is missing; of its %d lines %d left (announced ready: %t)", wanted, left, o.ready)
		}
	}
}
