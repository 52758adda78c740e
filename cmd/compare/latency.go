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
	if err := a.send(ctx, products, w.record, nil); err != nil {
		return nil, err
	}
	if err := watch.await(ctx, p, products, time.Minute); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	schedule := make([]time.Time, len(w.product)) // when each command after those of the warm-up is to be sent
	begin := time.Now().Add(100 * time.Millisecond)
	for i := products; i < len(schedule); i++ {
		schedule[i] = begin.Add(time.Duration(i-products) * time.Second / time.Duration(t.rate))
	}
	if err := a.send(ctx, warm+counted, func(i int) *kgo.Record { return w.record(products + i) }, func(i int) time.Time { return schedule[products+i] }); err != nil {
		return nil, err
	}
	all := watch.await(ctx, p, len(w.product), drainTime)
	m := watch.measures(schedule, products+warm)
	if !p.running() || ctx.Err() != nil {
		return nil, all
	}
	if err := p.stop(); err != nil {
		return nil, err
	}
	if err := watch.finish(ctx, a); err != nil || all != nil { // where not everything came, what came is checked
		return m, err
	}
	return m, a.checkComplete(ctx, c, watch, len(w.product))
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
