package checker

// checkPositions wants every position, and what the group was told of it, at the end of its
// partition, and every row published.
func (c *check) checkPositions() {
	rows := map[topicPartition]PositionRow{}
	for _, row := range c.history.Tables.Positions {
		rows[topicPartition{row.Topic, row.Partition}] = row
	}
	for _, p := range c.history.Partitions {
		row, ok := rows[topicPartition{p.Topic, p.Partition}]
		switch {
		case !ok:
			c.report(RulePosition, "", nil, "%s, partition %d has no position", p.Topic, p.Partition)
		case row.TopicID != c.history.TopicIDs[p.Topic]:
			c.report(RulePosition, "", nil, "the position of %s, partition %d belongs to the topic id %s", p.Topic, p.Partition, row.TopicID)
		case row.NextOffset != p.End:
			c.report(RulePosition, "", nil, "the position of %s, partition %d is %d, its end %d", p.Topic, p.Partition, row.NextOffset, p.End)
		case p.Committed != p.End:
			c.report(RulePosition, "", nil, "the group's offset of %s, partition %d is %d, its end %d", p.Topic, p.Partition, p.Committed, p.End)
		case row.PublishedRow != row.NextRow:
			c.report(RulePosition, "", nil, "of the rows of %s, partition %d, %d of %d are published", p.Topic, p.Partition, row.PublishedRow, row.NextRow)
		}
	}
}
