package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// drainTime is how long after the last command a contestant may take before it is stopped.
	drainTime = 10 * time.Second
	// A contestant holds a rate when it publishes at least this part of it while commands come. One
	// that polls is a poll late in the end.
	holdsFrom = 0.9
)

// measureLatency sends commands at a steady rate, whatever becomes of them. A command's latency
// runs from the time at which it was to be sent, so that a stall counts for all that came
// meanwhile, to the time at which this program has its event.
func measureLatency(ctx context.Context, a *arena, c *contestant, t trial) (measures, error) {
	counted := t.rate * a.lab.options.seconds
	warm := int(warmUp.Seconds()) * t.rate
	w := newLatencyWorkload(warm + counted)
	p, err := c.program.start(ctx, a)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	watch, err := a.watch(ctx, w)
	if err != nil {
		return nil, err
	}
	defer watch.stop()
	if err := a.send(ctx, products, w.record); err != nil {
		return nil, err
	}
	if err := watch.await(ctx, p, products, time.Minute); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	schedule, err := a.sendAtRate(ctx, w, t.rate)
	if err != nil {
		return nil, err
	}
	all := watch.await(ctx, p, len(w.product), drainTime)
	m := watch.measures(schedule, products+warm)
	if !p.running() || ctx.Err() != nil {
		return nil, all
	}
	watch.stop()
	if _, err := c.program.stop(ctx, p); err != nil {
		return nil, err
	}
	return m, a.checkLatencyRun(ctx, c, w, all == nil)
}

// checkLatencyRun checks everything where everything came, and else what came.
func (a *arena) checkLatencyRun(ctx context.Context, c *contestant, w *workload, complete bool) error {
	audit, err := a.audit(ctx, w)
	if err != nil || !complete {
		return err
	}
	return a.checkComplete(ctx, c, audit, len(w.product))
}

// sendAtRate sends the commands after those of the warm-up, and returns when each of all commands
// was to be sent.
func (a *arena) sendAtRate(ctx context.Context, w *workload, rate int) ([]time.Time, error) {
	producer, err := a.lab.client(kgo.DefaultProduceTopic(a.commands), kgo.ProducerLinger(0))
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	schedule := make([]time.Time, len(w.product))
	begin := time.Now().Add(100 * time.Millisecond)
	for i := products; i < len(schedule); i++ {
		schedule[i] = begin.Add(time.Duration(i-products) * time.Second / time.Duration(rate))
		select {
		case <-time.After(time.Until(schedule[i])):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		producer.Produce(ctx, w.record(i), func(_ *kgo.Record, err error) {
			if err != nil {
				fail(err)
			}
		})
	}
	if err := producer.Flush(ctx); err != nil {
		return nil, context.Cause(ctx)
	}
	return schedule, nil
}

// measures are of the commands from a number on.
func (w *watch) measures(schedule []time.Time, from int) measures {
	w.mu.Lock()
	defer w.mu.Unlock()
	first, last := schedule[from], schedule[len(schedule)-1]
	var latencies []time.Duration
	meanwhile := 0 // events, of commands before these, too, that came while these were sent
	for i, at := range w.received {
		if i >= from && !at.IsZero() {
			latencies = append(latencies, at.Sub(schedule[i]))
		}
		if at.After(first) && !at.After(last) {
			meanwhile++
		}
	}
	m := measures{holds: 0, reached: float64(meanwhile) / last.Sub(first).Seconds()}
	sent := len(schedule) - from
	if len(latencies) == sent && float64(meanwhile) >= holdsFrom*float64(sent-1) {
		m[holds] = 1
	}
	if len(latencies) == 0 {
		return m
	}
	slices.Sort(latencies)
	at := func(p float64) float64 {
		return float64(latencies[int(p*float64(len(latencies)-1))].Microseconds()) / 1000
	}
	m[latencyP50], m[latencyP99], m[latencyP999], m[latencyMax] = at(0.5), at(0.99), at(0.999), at(1)
	return m
}
