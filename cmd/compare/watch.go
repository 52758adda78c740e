package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// watch is a consumer that notes when the first event of each order came.
type watch struct {
	workload *workload
	consumer *kgo.Client
	cancel   context.CancelFunc
	done     chan struct{}

	mu       sync.Mutex
	received []time.Time
	count    int
	err      error
	reached  map[int]chan struct{} // closed when there are so many
}

func (a *arena) watch(ctx context.Context, w *workload) (*watch, error) {
	consumer, err := a.lab.client(kgo.ConsumeTopics(a.events), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	watching := &watch{
		workload: w, consumer: consumer, cancel: cancel, done: make(chan struct{}),
		received: make([]time.Time, len(w.product)), reached: map[int]chan struct{}{},
	}
	go watching.run(ctx)
	return watching, nil
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	for ctx.Err() == nil {
		fetches := w.consumer.PollFetches(ctx)
		now := time.Now()
		w.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) { w.note(r, now) })
		for n, reached := range w.reached {
			if w.count >= n {
				close(reached)
				delete(w.reached, n)
			}
		}
		w.mu.Unlock()
	}
}

func (w *watch) note(r *kgo.Record, now time.Time) {
	if header(r, "ce_type") != contest.AllocatedType {
		return
	}
	var event contest.Allocated
	err := json.Unmarshal(r.Value, &event)
	if err != nil {
		w.err = err
		return
	}
	i, err := w.workload.index(event.OrderID)
	if err != nil {
		w.err = err
		return
	}
	if w.received[i].IsZero() {
		w.received[i] = now
		w.count++
	}
}

// await waits for the events of so many orders.
func (w *watch) await(ctx context.Context, p *process, n int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	reached := make(chan struct{})
	w.mu.Lock()
	if w.count >= n {
		close(reached)
	} else {
		w.reached[n] = reached
	}
	w.mu.Unlock()
	select {
	case <-reached:
		return nil
	case <-p.done:
		return p.ended()
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	return fmt.Errorf("events of %d of %d orders after %s: %w\n%s", w.count, n, limit, ctx.Err(), p.log.String())
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
