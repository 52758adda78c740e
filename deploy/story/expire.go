package story

// checkExpired: no line expired too early. One that had a batch does by the time since it had its
// first. One that had none does with its cart, by the time since it was added.
func (c *Checker) checkExpired() {
	for _, o := range c.orders {
		for line, l := range o.lines {
			if l.expiredBy != (place{}) {
				c.checkExpiredLine(o, l, lineID{o.id, line})
			}
		}
	}
}

func (c *Checker) checkExpiredLine(o *order, l *orderLine, id lineID) {
	by, added := c.commands[l.expiredBy], c.commands[l.addedBy]
	if by == nil || by.kind != expireCart || by.order != o.id || added == nil {
		c.report(RuleExpired, id.String(), "the line expired by what is at %s, which is no ExpireCart of its cart", l.expiredBy)
		return
	}
	from, withCart := added.time, l.expiredBy == o.expiredBy
	s := c.atStock(id, l)
	switch had := s != nil && !s.first.IsZero(); {
	case !had && !withCart:
		c.report(RuleExpired, id.String(), "the line never had a batch, and expired without its cart")
	case had && !withCart:
		from = s.first
	case had && s.first.Before(from):
		from = s.first // clocks differ
	default:
		// Of one that expired with its cart nobody knows whether orders had heard of its batch by then:
		// stock may have been away.
	}
	if over := from.Add(c.cartTime); by.time.Before(over) {
		c.report(RuleExpired, id.String(), "the line expired %s too early, by the command at %s", over.Sub(by.time), l.expiredBy)
	}
}
