package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// watch reads the topic of events from its start, beside a contestant or after it. Each order must
// have at most one distinct event, and that must be the right one.
type watch struct {
	workload *workload
	seed     maphash.Seed
	consumer *kgo.Client
	cancel   context.CancelFunc
	done     chan struct{}

	mu          sync.Mutex
	orders      int // that have an event
	repeats     int // events that are there again, byte for byte
	disordered  int // first events of a product that are not in its commands' order
	first, last time.Time
	received    []time.Time     // by order: when its first event came to this program
	seen        []uint64        // by order: a hash of its event, 0 without one
	newest      []int           // by product: the last order that had an event
	read        map[int32]int64 // by partition: the end of what was read
	err         error           // the first thing that was wrong
}

func newWatch(w *workload) *watch {
	return &watch{
		workload: w, seed: maphash.MakeSeed(), done: make(chan struct{}), received: make([]time.Time, len(w.product)),
		seen: make([]uint64, len(w.product)), newest: make([]int, products), read: map[int32]int64{},
	}
}

func (a *arena) watch(ctx context.Context, of *workload) (*watch, error) {
	w := newWatch(of)
	var err error
	w.consumer, err = a.lab.client(kgo.ConsumeTopics(a.events), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		return nil, err
	}
	ctx, w.cancel = context.WithCancel(ctx)
	go w.run(ctx)
	return w, nil
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		fetches := w.consumer.PollFetches(ctx)
		now := time.Now()
		w.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			if err := w.note(r, now); w.err == nil {
				w.err = err
			}
			w.read[r.Partition] = r.Offset + 1
		})
		w.mu.Unlock()
	}
}

func (w *watch) note(r *kgo.Record, now time.Time) error {
	if header(r, "ce_type") != contest.AllocatedType {
		return nil
	}
	var event contest.Allocated
	if err := json.Unmarshal(r.Value, &event); err != nil {
		return fmt.Errorf("an event is %q: %w", r.Value, err)
	}
	i, err := w.workload.index(event.OrderID)
	if err != nil {
		return err
	}
	product := w.workload.product[i]
	if want := (contest.Allocated{Command: w.workload.command(i), BatchRef: batchRef(product)}); event != want || string(r.Key) != want.SKU {
		return fmt.Errorf("an event of key %q is %q; it must be %+v", r.Key, r.Value, want)
	}
	switch sum := max(1, maphash.String(w.seed, string(r.Value)+header(r, "ce_id"))); w.seen[i] {
	case 0:
		w.seen[i] = sum
	case sum:
		w.repeats++
		return nil
	default:
		return fmt.Errorf("order %d has two different events", i)
	}
	w.count(r, i, product, now)
	return nil
}

// count takes the first event of an order.
func (w *watch) count(r *kgo.Record, i, product int, now time.Time) {
	w.orders++
	w.received[i] = now
	if i < w.newest[product] {
		w.disordered++
	}
	w.newest[product] = max(i, w.newest[product])
	if w.first.IsZero() || r.Timestamp.Before(w.first) {
		w.first = r.Timestamp
	}
	if r.Timestamp.After(w.last) {
		w.last = r.Timestamp
	}
}

// await waits for the events of so many orders.
func (w *watch) await(ctx context.Context, p *process, n int, limit time.Duration) error {
	return p.await(ctx, limit, func(context.Context) (bool, string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.orders >= n, fmt.Sprintf("events of %d of %d orders", w.orders, n)
	})
}

// finish reads what is in the topic, when its writer has ended, and says what was wrong.
func (w *watch) finish(ctx context.Context, a *arena) error {
	ends, err := a.lab.admin.ListEndOffsets(ctx, a.events)
	if err != nil {
		return err
	}
	all := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		left := false
		ends.Each(func(o kadm.ListedOffset) { left = left || w.read[o.Partition] < o.Offset })
		return !left
	}
	for until := time.Now().Add(limit(len(w.seen))); !all(); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(until) {
			return fmt.Errorf("not all events could be read within %s", limit(len(w.seen)))
		}
	}
	w.stop()
	return w.err
}

// stop ends the watching. It may be called twice.
func (w *watch) stop() {
	w.cancel()
	<-w.done
	w.consumer.Close()
}

// header is the last of a name, as everybody reads repeated ones here.
func header(r *kgo.Record, name string) string {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == name {
			return string(r.Headers[i].Value)
		}
	}
	return ""
}
