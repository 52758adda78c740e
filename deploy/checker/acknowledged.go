package checker

import (
	"iter"
	"slices"
)

// remember adds the acknowledged commands that were deleted from Kafka, and keeps apart those that
// Kafka lost.
func (h *History) remember(acknowledged iter.Seq[Record]) {
	if acknowledged == nil {
		return
	}
	has := map[topicPartition][]int64{}
	for _, p := range h.Commands {
		at := p.place()
		l := topicPartition{at.topic, at.partition}
		has[l] = append(has[l], at.offset)
	}
	for l := range has {
		slices.Sort(has[l])
	}
	starts := map[topicPartition]int64{}
	for _, p := range h.Partitions {
		starts[topicPartition{p.Topic, p.Partition}] = p.Start
	}
	var memory packer
	for r := range acknowledged {
		l := topicPartition{r.Topic, r.Partition}
		if _, ok := slices.BinarySearch(has[l], r.Offset); ok {
			continue
		}
		switch {
		case r.Offset >= starts[l]:
			h.Lost = append(h.Lost, memory.pack(&r))
		case r.Key != nil || r.Value != nil || r.Headers != nil: // else only its place is remembered
			h.Commands = append(h.Commands, memory.pack(&r))
		}
	}
}
