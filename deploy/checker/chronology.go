package checker

import "slices"

// chronology is what partitions and sequences say about the order of the commands with effect: each
// comes after the one before it in its partition, and after the one before it in its product.
// Commands of loose products are not in it.
type chronology struct {
	check    *check
	nodes    []int32 // entries with effect, ascending
	node     []int32 // by entry; none
	followed []int32 // by node: the node before it in its product; none
	clocks   []int32 // by node and partition: one more than the last entry of the partition that comes before the node, or is it
	known    bool    // there is such an order
}

// step is a command with effect, in the history of a product.
type step struct {
	entry  int32
	events []int32 // in check.events
}

// stepsOf are the commands that changed a product, in the order of its sequence.
func (c *check) stepsOf(p int32) (steps []step) {
	events := c.sequenced.of(p)
	for from := 0; from < len(events); {
		to := from + 1
		for to < len(events) && c.events[events[to]].entry == c.events[events[from]].entry && c.events[events[to]].number > c.events[events[to-1]].number {
			to++
		}
		steps = append(steps, step{c.events[events[from]].entry, events[from:to]})
		from = to
	}
	return steps
}

func (c *check) chronicle() chronology {
	h, before := chronology{check: c, node: nones(len(c.entries))}, nones(len(c.entries))
	const marked = 0
	for p := range c.traits {
		last := none
		for _, s := range c.stepsOf(int32(p)) {
			if c.traits[p].loose || h.node[s.entry] == marked {
				continue
			}
			h.node[s.entry], before[s.entry] = marked, last
			last = s.entry
		}
	}
	for i, mark := range h.node {
		if mark == marked {
			h.node[i] = int32(len(h.nodes))
			h.nodes = append(h.nodes, int32(i))
		}
	}
	h.followed = make([]int32, len(h.nodes))
	for n, i := range h.nodes {
		h.followed[n] = none
		if before[i] != none {
			h.followed[n] = h.node[before[i]]
		}
	}
	h.tick()
	return h
}

// tick goes through the nodes in an order that agrees with partitions and products, and sets the
// clocks.
func (h *chronology) tick() {
	g := newGraph(len(h.nodes))
	for n := range int32(len(h.nodes)) {
		g.link(h.previous(n), n)
		g.link(h.followed[n], n)
	}
	order, circle := g.sort()
	if circle != nil {
		h.check.reportCircle("commands with effect", circle, func(n int32) int32 { return h.nodes[n] })
		return
	}
	width := len(h.check.partitions.all)
	h.clocks, h.known = make([]int32, len(h.nodes)*width), true
	for _, n := range order {
		clock := h.clock(n)
		for _, before := range []int32{h.previous(n), h.followed[n]} {
			if before == none {
				continue
			}
			for l, at := range h.clock(before) {
				clock[l] = max(clock[l], at)
			}
		}
		clock[h.check.entries[h.nodes[n]].partition] = h.nodes[n] + 1
	}
}

func (h *chronology) clock(n int32) []int32 {
	width := len(h.check.partitions.all)
	return h.clocks[int(n)*width : (int(n)+1)*width]
}

// previous is the node before another in its partition.
func (h *chronology) previous(n int32) int32 {
	if n > 0 && h.partition(n-1) == h.partition(n) {
		return n - 1
	}
	return none
}

func (h *chronology) partition(n int32) int32 { return h.check.entries[h.nodes[n]].partition }

// around are the nodes before and after an entry without effect, in its partition.
func (h *chronology) around(i int32) (before, after int32) {
	next, _ := slices.BinarySearch(h.nodes, i)
	before, after = none, none
	if next > 0 && h.partition(int32(next-1)) == h.check.entries[i].partition {
		before = int32(next - 1)
	}
	if next < len(h.nodes) && h.partition(int32(next)) == h.check.entries[i].partition {
		after = int32(next)
	}
	return before, after
}

// precedes reports whether a node is another, or must come before it.
func (h *chronology) precedes(first, second int32) bool {
	return h.clock(second)[h.partition(first)] > h.nodes[first]
}
