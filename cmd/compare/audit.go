package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// audit is what the topic of events says after a run.
type audit struct {
	workload *workload
	seed     maphash.Seed

	orders      int // that have an event
	repeats     int // events that are there again, byte for byte
	disordered  int // first events of a product that are not in its commands' order
	first, last time.Time

	seen    []uint64        // by order: a hash of its event, 0 without one
	newest  []int           // by product: the last order that had an event
	reading map[int32]int64 // by partition that is not read to its end: where that is
}

func newAudit(w *workload) *audit {
	return &audit{workload: w, seed: maphash.MakeSeed(), seen: make([]uint64, len(w.product)), newest: make([]int, products), reading: map[int32]int64{}}
}

// audit reads the topic from its start. Each order must have at most one distinct event, and that
// must be the right one.
func (a *arena) audit(ctx context.Context, w *workload) (*audit, error) {
	found := newAudit(w)
	ends, err := a.lab.admin.ListEndOffsets(ctx, a.events)
	if err != nil {
		return nil, err
	}
	starts := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			found.reading[o.Partition], starts[o.Partition] = o.Offset, kgo.NewOffset().At(0)
		}
	})
	if len(starts) == 0 {
		return found, ends.Error()
	}
	consumer, err := a.lab.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{a.events: starts}))
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(ctx, limit(len(w.product)))
	defer cancel()
	return found, found.read(ctx, consumer)
}

func (f *audit) read(ctx context.Context, consumer *kgo.Client) error {
	for len(f.reading) > 0 {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		for records := fetches.RecordIter(); !records.Done(); {
			r := records.Next()
			if err := f.note(r); err != nil {
				return err
			}
			if r.Offset+1 >= f.reading[r.Partition] {
				delete(f.reading, r.Partition)
			}
		}
	}
	return nil
}

func (f *audit) note(r *kgo.Record) error {
	if header(r, "ce_type") != contest.AllocatedType {
		return nil
	}
	var event contest.Allocated
	if err := json.Unmarshal(r.Value, &event); err != nil {
		return fmt.Errorf("an event is %q: %w", r.Value, err)
	}
	i, err := f.workload.index(event.OrderID)
	if err != nil {
		return err
	}
	product := f.workload.product[i]
	if want := (contest.Allocated{Command: f.workload.command(i), BatchRef: batchRef(product)}); event != want || string(r.Key) != want.SKU {
		return fmt.Errorf("an event of key %q is %q; it must be %+v", r.Key, r.Value, want)
	}
	return f.count(r, i, product)
}

func (f *audit) count(r *kgo.Record, i, product int) error {
	var hash maphash.Hash
	hash.SetSeed(f.seed)
	_, _ = hash.Write(r.Value)
	_, _ = hash.WriteString(header(r, "ce_id"))
	sum := max(1, hash.Sum64())
	switch f.seen[i] {
	case 0:
		f.seen[i] = sum
		f.orders++
	case sum:
		f.repeats++
		return nil
	default:
		return fmt.Errorf("order %d has two different events", i)
	}
	if i < f.newest[product] {
		f.disordered++
	}
	f.newest[product] = max(i, f.newest[product])
	if f.first.IsZero() || r.Timestamp.Before(f.first) {
		f.first = r.Timestamp
	}
	if r.Timestamp.After(f.last) {
		f.last = r.Timestamp
	}
	return nil
}
