package e2e

import "github.com/stretchr/testify/require"

// assigned are the partitions that the group has given to each member.
func (a *arena) assigned() map[string][]lane {
	a.t.Helper()
	groups, err := a.admin.DescribeGroups(a.t.Context(), a.group)
	require.NoError(a.t, err)
	members := map[string][]lane{}
	for _, m := range groups[a.group].Members {
		members[m.MemberID] = nil
		if assignment, ok := m.Assigned.AsConsumer(); ok {
			for _, topic := range assignment.Topics {
				for _, p := range topic.Partitions {
					members[m.MemberID] = append(members[m.MemberID], lane{topic.Topic, p})
				}
			}
		}
	}
	return members
}

// otherMember gives the partitions of the one member that is none of those known, if it has any.
func (a *arena) otherMember(known map[string][]lane) []lane {
	a.t.Helper()
	for id, lanes := range a.assigned() {
		if _, ok := known[id]; !ok && len(lanes) > 0 {
			return lanes
		}
	}
	return nil
}
