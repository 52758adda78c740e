package checker

import "fmt"

// topicPartition is a partition of a command topic.
type topicPartition struct {
	topic     string
	partition int32
}

// place is where a command stands.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func (p place) String() string { return fmt.Sprintf("%s.%d.%d", p.topic, p.partition, p.offset) }

func placeOf(r *Record) place { return place{r.Topic, r.Partition, r.Offset} }

// spot is a place in few bytes: the number of the partition stands for topic and partition.
type spot struct {
	partition int32
	offset    int64
}
