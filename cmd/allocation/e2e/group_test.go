package e2e

// assigned are the partitions that the group has given to each member; none as long as Kafka does
// not know.
func (a *arena) assigned() map[string][]topicPartition {
	a.t.Helper()
	members := map[string][]topicPartition{}
	groups, err := a.admin.DescribeGroups(a.t.Context(), a.group)
	if err != nil {
		return members
	}
	for _, m := range groups[a.group].Members {
		members[m.MemberID] = nil
		if assignment, ok := m.Assigned.AsConsumer(); ok {
			for _, topic := range assignment.Topics {
				for _, p := range topic.Partitions {
					members[m.MemberID] = append(members[m.MemberID], topicPartition{topic.Topic, p})
				}
			}
		}
	}
	return members
}

// others are the partitions of all members but those known.
func (a *arena) others(known map[string][]topicPartition) (partitions []topicPartition) {
	a.t.Helper()
	for id, theirs := range a.assigned() {
		if _, ok := known[id]; !ok {
			partitions = append(partitions, theirs...)
		}
	}
	return partitions
}
