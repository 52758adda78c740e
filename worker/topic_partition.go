package worker

import (
	"cmp"
	"strconv"
)

// TopicPartition names a partition of a command topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

func (n TopicPartition) compare(o TopicPartition) int {
	return cmp.Or(cmp.Compare(n.Topic, o.Topic), cmp.Compare(n.Partition, o.Partition))
}

func (n TopicPartition) labels() []string { return []string{n.Topic, strconv.Itoa(int(n.Partition))} }

func (n TopicPartition) asMap() map[string][]int32 { return map[string][]int32{n.Topic: {n.Partition}} }

// put puts in what is about a partition, as the client takes it.
func put[V any](m map[string]map[int32]V, name TopicPartition, v V) {
	if m[name.Topic] == nil {
		m[name.Topic] = map[int32]V{}
	}
	m[name.Topic][name.Partition] = v
}
