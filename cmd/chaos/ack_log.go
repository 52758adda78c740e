package main

import (
	"iter"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/checker"
)

// ackLog remembers what Kafka acknowledged.
type ackLog struct {
	mu         sync.Mutex
	partitions map[topicPartition][]bool // by offset
}

func newAckLog() *ackLog { return &ackLog{partitions: map[topicPartition][]bool{}} }

// note notes acknowledged records.
func (l *ackLog) note(records ...*kgo.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		at := topicPartition{r.Topic, r.Partition}
		offsets := l.partitions[at]
		for int64(len(offsets)) <= r.Offset {
			offsets = append(offsets, false)
		}
		offsets[r.Offset] = true
		l.partitions[at] = offsets
	}
}

// ends are behind the last acknowledged record of each partition.
func (l *ackLog) ends() map[topicPartition]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ends := map[topicPartition]int64{}
	for at, offsets := range l.partitions {
		ends[at] = int64(len(offsets))
	}
	return ends
}

// records are where the acknowledged records must be. It is for when nothing is sent any more.
func (l *ackLog) records() iter.Seq[checker.Record] {
	return func(yield func(checker.Record) bool) {
		for at, offsets := range l.partitions {
			for offset, acknowledged := range offsets {
				if acknowledged && !yield(checker.Record{Topic: at.topic, Partition: at.partition, Offset: int64(offset)}) {
					return
				}
			}
		}
	}
}
