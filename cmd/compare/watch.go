package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// watch reads the topic of events from its start, beside a contestant or after it. Each order's
// event must be the right one, and follow those of its product's earlier orders.
type watch struct {
	workload workload
	consumer *kgo.Client
	cancel   context.CancelFunc
	done     chan struct{}

	mu          sync.Mutex
	orders      int // that have an event
	first, last time.Time
	received    []time.Time // by order: when its first event came to this program
	newest      []int       // by product: the last order that had an event
	err         error       // the first thing that was wrong
}

func newWatch(w workload) *watch {
	return &watch{workload: w, done: make(chan struct{}), received: make([]time.Time, len(w)), newest: make([]int, contest.Products)}
}

func (a *arena) watch(ctx context.Context, of workload) (*watch, error) {
	w := newWatch(of)
	var err error
	w.consumer, err = a.client(kgo.ConsumeTopics(a.events), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond))
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
		})
		w.mu.Unlock()
	}
}

// note takes an event. One that came before may come again.
func (w *watch) note(r *kgo.Record, now time.Time) error {
	isType := func(h kgo.RecordHeader) bool { return h.Key == "ce_type" && string(h.Value) == contest.AllocatedType }
	if !slices.ContainsFunc(r.Headers, isType) {
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
	product := w.workload[i]
	if want := (contest.Allocated{Command: w.workload.command(i), BatchRef: batchRef(product)}); event != want || string(r.Key) != want.SKU {
		return fmt.Errorf("an event of key %q is %q; it must be %+v", r.Key, r.Value, want)
	}
	switch {
	case !w.received[i].IsZero():
		return nil
	case i < w.newest[product]:
		return fmt.Errorf("the event of order %d comes after that of order %d of its product", i, w.newest[product])
	}
	w.orders++
	w.received[i], w.newest[product] = now, i
	if w.first.IsZero() || r.Timestamp.Before(w.first) {
		w.first = r.Timestamp
	}
	if r.Timestamp.After(w.last) {
		w.last = r.Timestamp
	}
	return nil
}

// await waits for the events of so many orders, while a program runs, if one is given.
func (w *watch) await(ctx context.Context, p *process, n int, limit time.Duration) error {
	return await(ctx, p, limit, func(context.Context) (bool, string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.orders >= n, fmt.Sprintf("events of %d of %d orders", w.orders, n)
	})
}

// stop ends the watching. It may be called twice.
func (w *watch) stop() {
	w.cancel()
	<-w.done
	w.consumer.Close()
}
