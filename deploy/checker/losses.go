package checker

// readLosses reports commands that Kafka had acknowledged and lost, and commands that were deleted
// and could not be seen.
func (c *check) readLosses() {
	for _, p := range c.history.Lost {
		r := p.Record()
		c.report(RuleInput, string(r.Key), lines(describe(&r)), "Kafka acknowledged the command at %s, but does not have it, and nothing deleted it", placeOf(&r))
	}
	for l, start := range c.starts {
		unseen := 0
		for _, i := range c.byPartition.of(l) {
			if e := &c.entries[i]; e.offset < start && e.record == none {
				unseen++
			}
		}
		if unseen > 0 {
			c.report(RuleUnseen, "", nil, "%s, partition %d begins at %d: %d deleted commands have consequences that could not be checked, because nobody remembers the commands",
				c.partitions[l].topic, c.partitions[l].partition, start, unseen)
		}
	}
}
