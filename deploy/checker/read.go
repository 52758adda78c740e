package checker

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
)

// Run says where a history is.
type Run struct {
	Brokers  []string
	Database string            // a URL
	Commands map[string]string // the command topics, with the type of their bare records
	Events   string
	Letters  string
	Group    string
	Source   string // ce_source

	// TimelineChanges says how often the database was failed over with its last commits lost, or
	// restored to an earlier point. Without one, events of another timeline are phantoms.
	TimelineChanges int
	// Acknowledged gives where the commands are that Kafka acknowledged, as their producers
	// remember it, in any order, aborted ones left out: it shows what Kafka lost. Nil: nobody
	// remembers.
	Acknowledged iter.Seq[Record]
}

// Read reads a run's history, up to where it is now. Everything should be applied and published,
// and nothing be sent meanwhile. Where commands were deleted from Kafka, nothing can be proven,
// which is an error.
func Read(ctx context.Context, run Run) (*History, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(collectSooner))
	h := &History{Group: run.Group, Source: run.Source, Kinds: run.Commands, TimelineChanges: run.TimelineChanges}
	k, err := connect(run)
	if err != nil {
		return nil, fmt.Errorf("connect to Kafka: %w", err)
	}
	defer k.client.Close()
	unread, err := k.describe(ctx, h)
	if err == nil {
		err = k.read(ctx, h, unread)
	}
	if err != nil {
		return nil, fmt.Errorf("read Kafka: %w", err)
	}
	if run.Acknowledged != nil {
		h.compareWith(run.Acknowledged)
	}
	if h.Tables, err = readTables(ctx, run.Database); err != nil {
		return nil, fmt.Errorf("read Postgres: %w", err)
	}
	return h, nil
}

// compareWith notes the acknowledged commands that Kafka lost.
func (h *History) compareWith(acknowledged iter.Seq[Record]) {
	has := map[topicPartition][]int64{} // offsets, ascending
	for _, p := range h.Commands {
		at := p.place()
		l := topicPartition{at.topic, at.partition}
		has[l] = append(has[l], at.offset)
	}
	for r := range acknowledged {
		if _, ok := slices.BinarySearch(has[topicPartition{r.Topic, r.Partition}], r.Offset); !ok {
			h.Lost = append(h.Lost, r)
		}
	}
}
