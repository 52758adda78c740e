package main

import (
	"context"
	"errors"
	"fmt"
)

// trial is one thing to measure.
type trial struct {
	name    string
	title   string
	hot     bool // all commands are for one product
	rate    int  // commands a second; 0: as many as there are, from a backlog
	measure func(context.Context, *arena, *contestant, trial) (measures, error)
	shown   []measure
}

var (
	ofBacklogs = []measure{throughput, walBytes, tableBytes, cpuMicros, peakMemory}
	ofRates    = []measure{latencyP50, latencyP99, reached}

	allTrials = []trial{
		{"throughput", "From a backlog, 1,000 products at random", false, 0, measureThroughput, ofBacklogs},
		{"hot", "From a backlog, all commands for one product", true, 0, measureThroughput, ofBacklogs},
		{"latency200", "At 200 commands/s, from when a command was to be sent until its event was received", false, 200, measureLatency, ofRates},
		{"latency2000", "The same at 2,000 commands/s", false, 2000, measureLatency, ofRates},
	}
)

// measures are what a run gave, by name.
type measures map[measure]float64

type measure string

const (
	throughput measure = "commands/s"
	walBytes   measure = "WAL B/command"
	tableBytes measure = "table B/command"
	cpuMicros  measure = "CPU µs/command"
	peakMemory measure = "peak RSS MB"
	latencyP50 measure = "p50 ms"
	latencyP99 measure = "p99 ms"
	reached    measure = "reached/s"
)

// run runs one contestant in a fresh arena. Whatever happens, its program has ended and its arena
// is gone afterwards.
func (t trial) run(ctx context.Context, l *lab, c *contestant, round int) (m measures, err error) {
	a, err := l.newArena(ctx, fmt.Sprintf("%s_%s_%d", c.name, t.name, round))
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	if err != nil {
		return nil, err
	}
	if err := c.program.prepare(ctx, a); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	return t.measure(ctx, a, c, t)
}
