package main

import (
	"iter"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/checker"
)

// ledger remembers what Kafka acknowledged.
type ledger struct {
	mu    sync.Mutex
	lanes map[lane][]bool // by offset
}

func newLedger() *ledger { return &ledger{lanes: map[lane][]bool{}} }

// note notes acknowledged records.
func (l *ledger) note(records ...*kgo.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		at := lane{r.Topic, r.Partition}
		offsets := l.lanes[at]
		for int64(len(offsets)) <= r.Offset {
			offsets = append(offsets, false)
		}
		offsets[r.Offset] = true
		l.lanes[at] = offsets
	}
}

// ends are behind the last acknowledged record of each partition.
func (l *ledger) ends() map[lane]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ends := map[lane]int64{}
	for at, offsets := range l.lanes {
		ends[at] = int64(len(offsets))
	}
	return ends
}

// records are where the acknowledged records must be. It is for when nothing is sent any more.
func (l *ledger) records() iter.Seq[checker.Record] {
	return func(yield func(checker.Record) bool) {
		for at, offsets := range l.lanes {
			for offset, acknowledged := range offsets {
				if acknowledged && !yield(checker.Record{Topic: at.topic, Partition: at.partition, Offset: int64(offset)}) {
					return
				}
			}
		}
	}
}
