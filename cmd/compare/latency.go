package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

const (
	warmUp = 2 * time.Second // of a rate, which does not count
	// drainTime is how long after the last command a contestant may take before it is stopped.
	drainTime = 10 * time.Second
)

// measureLatency sends commands at a steady rate, whatever becomes of them. A command's latency
// runs from the time at which it was to be sent, so that a stall counts for all that came
// meanwhile, to the time at which this program has its event. Of a contestant that is stopped
// before it has all events, it measures only how many it published in a second.
func measureLatency(ctx context.Context, a *arena, c *contestant, t trial) (measures, error) {
	counted, warm := t.rate*a.options.seconds, int(warmUp.Seconds())*t.rate
	w := newWorkload(contest.Products+warm+counted, false)
	p, err := c.program.start(a)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	watch, err := a.watch(ctx, w)
	if err != nil {
		return nil, err
	}
	defer watch.stop()
	if err := a.send(ctx, contest.Products, w.record, nil); err != nil {
		return nil, err
	}
	if err := watch.await(ctx, p, contest.Products, time.Minute); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	begin := time.Now().Add(100 * time.Millisecond)
	due := func(i int) time.Time { return begin.Add(time.Duration(i) * time.Second / time.Duration(t.rate)) }
	if err := a.send(ctx, warm+counted, func(i int) *kgo.Record { return w.record(contest.Products + i) }, due); err != nil {
		return nil, err
	}
	waiting := watch.await(ctx, p, len(w), drainTime)
	stopping := p.stop()
	watch.stop()
	if err := errors.Join(ctx.Err(), stopping, watch.err); err != nil {
		return nil, err
	}
	m := latencies(watch.received[contest.Products:], warm, due)
	if waiting != nil {
		return m, nil
	}
	return m, a.checkComplete(ctx, c, len(w))
}

// latencies are those of the commands from a number on, by when each was received, and due.
func latencies(received []time.Time, from int, due func(int) time.Time) measures {
	first, last := due(from), due(len(received)-1)
	var took []time.Duration
	meanwhile := 0 // events, of commands before these, too, that came while these were sent
	for i, at := range received {
		if i >= from && !at.IsZero() {
			took = append(took, at.Sub(due(i)))
		}
		if at.After(first) && !at.After(last) {
			meanwhile++
		}
	}
	m := measures{reached: float64(meanwhile) / last.Sub(first).Seconds()}
	if len(took) < len(received)-from {
		return m
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	m[latencyP50], m[latencyP99] = at(0.5), at(0.99)
	return m
}
