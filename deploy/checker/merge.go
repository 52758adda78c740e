package checker

// checkMerge wants one order of all commands, with and without effect, in which each stands in the
// order of its partition and where it is legal. Commands of loose products are left out.
func (c *check) checkMerge() {
	if !c.chronology.known {
		return
	}
	g, last := newGraph(len(c.entries)), none
	for i := range int32(len(c.entries)) {
		if !c.merges(i) {
			continue
		}
		if last != none && c.entries[last].partition == c.entries[i].partition {
			g.link(last, i)
		}
		last = i
		if c.chronology.node[i] != none {
			if before := c.chronology.followed[c.chronology.node[i]]; before != none {
				g.link(c.chronology.nodes[before], i)
			}
			continue
		}
		g.link(c.quiet[i].after, i)
		g.link(i, c.quiet[i].before)
	}
	if _, circle := g.sort(); circle != nil {
		c.reportCircle("the commands", circle, func(n int32) int32 { return n })
	}
}

// merges reports whether an entry has a place in the order of all: one with effect, or one whose
// legal places are known.
func (c *check) merges(i int32) bool {
	if c.chronology.node[i] != none {
		return true
	}
	e := &c.entries[i]
	return c.quiet[i].after != many && !e.unreadable && !c.traits[c.productOf(i)].loose
}
