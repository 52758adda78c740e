package checker

// checkCausality wants one order of all commands with effect that agrees with every partition's and every product's.
func (c *check) checkCausality() {
	after := map[*outcome][]*outcome{}
	before := map[*outcome]int{}
	link := func(first, second *outcome) {
		if first != nil && first != second {
			after[first] = append(after[first], second)
			before[second]++
		}
	}
	last := map[lane]*outcome{}
	var free []*outcome
	total := 0
	for _, o := range c.order {
		if !o.changed() {
			continue
		}
		total++
		l := lane{o.command.at.topic, o.command.at.partition}
		link(last[l], o)
		last[l] = o
	}
	for _, events := range c.bySKU {
		for i := 1; i < len(events); i++ {
			link(c.outcomes[events[i-1].command], c.outcomes[events[i].command])
		}
	}
	for _, o := range c.order {
		if o.changed() && before[o] == 0 {
			free = append(free, o)
		}
	}
	for ; len(free) > 0; total-- {
		o := free[0]
		free = free[1:]
		for _, next := range after[o] {
			if before[next]--; before[next] == 0 {
				free = append(free, next)
			}
		}
	}
	if total > 0 {
		c.reportCycle(before, total)
	}
}

func (c *check) reportCycle(before map[*outcome]int, total int) {
	var stretch []string
	for _, o := range c.order {
		if before[o] > 0 && len(stretch) < 12 {
			stretch = append(stretch, o.command.at.String()+" made "+o.events[0].id+" of "+string(o.events[0].record.Key)+", sequence "+string(o.events[0].record.header("ce_sequence")))
		}
	}
	c.report(RuleCycle, "", stretch, "%d commands with effect are in no order that partitions and sequences agree with", total)
}
