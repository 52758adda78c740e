package checker

// trait is what must be known of a product before its history can be judged.
type trait struct {
	loose bool // dead letters were retried, or held it: its commands keep no order with those of other products
	mixed bool // its commands came by several partitions, or were retried: another timeline may have another order
}

const many = int32(-2)

// settleProducts tells which product each command is about, and what to know of it.
func (c *check) settleProducts() {
	c.skus.number("")
	c.owners = nones(len(c.refs.all))
	for n := range c.events {
		e := &c.events[n]
		if ref := c.entries[e.entry].ref; c.kinds.all[e.kind] == "BatchCreated" && ref != none {
			c.owners[ref] = e.product
		}
	}
	c.traits = make([]trait, len(c.skus.all))
	c.mix()
	claimed := map[int32]bool{} // batches that waited to be made: whoever asked for one waited, too
	for _, l := range c.letters {
		if l.held() || l.retries() > 0 {
			p := c.productOf(l.entry)
			c.traits[p].loose, c.traits[p].mixed = true, true
			if ref := c.entries[l.entry].ref; ref != none {
				claimed[ref] = true
			}
		}
	}
	for i := range c.entries {
		if e := &c.entries[i]; len(claimed) > 0 && e.ref != none && claimed[e.ref] {
			p := c.productOf(int32(i))
			c.traits[p].loose, c.traits[p].mixed = true, true
		}
	}
	c.byProduct = groupBy(len(c.entries), len(c.traits), func(i int) int32 {
		if c.entries[i].unreadable {
			return none
		}
		return c.productOf(int32(i))
	})
	c.sequenced = groupBy(len(c.events), len(c.traits), func(i int) int32 {
		if c.events[i].sequence == 0 {
			return none
		}
		return c.events[i].product
	})
}

// productOf is the product that a command is about: the one that it changed, or that has its batch,
// or that it names.
func (c *check) productOf(i int32) int32 {
	e := &c.entries[i]
	for n := e.first; n < e.first+e.events; n++ {
		if c.events[n].sequence > 0 {
			return c.events[n].product
		}
	}
	switch {
	case e.ref != none && c.owners[e.ref] != none:
		return c.owners[e.ref]
	case e.sku != none:
		return e.sku
	}
	return c.skus.number("")
}

// mix finds the products whose commands came by several partitions. A reference that several
// products claim links them.
func (c *check) mix() {
	refs, skus := nones(len(c.refs.all)), nones(len(c.skus.all))
	for i := range c.entries {
		e := &c.entries[i]
		if e.ref != none {
			refs[e.ref] = join(refs[e.ref], e.partition)
		}
		if e.sku != none {
			skus[e.sku] = join(skus[e.sku], e.partition)
		}
	}
	for i := range c.entries {
		if e := &c.entries[i]; e.ref != none && e.sku != none {
			skus[e.sku] = join(skus[e.sku], refs[e.ref])
		}
	}
	for ref, owner := range c.owners {
		if owner != none {
			skus[owner] = join(skus[owner], refs[ref])
		}
	}
	for sku, by := range skus {
		c.traits[sku].mixed = by == many
	}
}

func join(a, b int32) int32 {
	switch {
	case a == none || a == b:
		return b
	case b == none:
		return a
	}
	return many
}

// checkStrays wants events and letters of a lost timeline only where the timelines could differ.
func (c *check) checkStrays() {
	for _, s := range c.lostEvents {
		p := c.productOf(s.entry)
		if s.record != none {
			r := c.history.Events[s.record].Record()
			p = c.skus.find(string(r.Key))
		}
		if p != none && c.traits[p].mixed {
			continue
		}
		if s.record == none {
			c.report(RulePhantom, c.sku(p), nil, "the dead letter of %s is of a timeline that the database lost, but the product's commands all came by one partition: it must be the same in all timelines", c.placeOf(s.entry))
			continue
		}
		r := c.history.Events[s.record].Record()
		c.report(RulePhantom, string(r.Key), lines(describe(&r)), "the event at %s, of %s, is of a timeline that the database lost, but the product's commands all came by one partition: it must be the same in all timelines",
			placeOf(&r), c.placeOf(s.entry))
	}
}

func (c *check) sku(p int32) string {
	if p == none {
		return ""
	}
	return c.skus.all[p]
}
