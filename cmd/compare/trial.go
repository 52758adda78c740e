package main

import (
	"context"
	"fmt"
	"time"
)

// trial is one thing to measure.
type trial struct {
	name    string
	hot     bool // all commands are for one product
	rate    int  // commands a second; 0: as many as there are, from a backlog
	measure func(context.Context, *arena, *contestant, trial) (measures, error)
}

var (
	manyProducts = trial{"throughput", false, 0, measureThroughput}
	oneProduct   = trial{"hot", true, 0, measureThroughput}
	slowly       = trial{"latency200", false, 200, measureLatency}
	quickly      = trial{"latency2000", false, 2000, measureLatency}

	allTrials = []trial{manyProducts, oneProduct, slowly, quickly}
)

func (t trial) title() string {
	switch {
	case t.hot:
		return "From a backlog, all commands for one product"
	case t.rate > 0:
		return fmt.Sprintf("Latency at %s commands/s, from when a command was to be sent until its event was received", thousands(int64(t.rate)))
	}
	return fmt.Sprintf("From a backlog, %d products at random", products)
}

func (t trial) shown() []measure {
	if t.rate > 0 {
		return []measure{latencyP50, latencyP99, latencyP999, latencyMax, reached, holds}
	}
	return []measure{throughput, commandCount, walBytes, tableBytes, cpuMicros, cpuSeconds, peakMemory}
}

// measures are what a run gave, by name.
type measures map[measure]float64

type measure string

const (
	throughput   measure = "commands/s"
	commandCount measure = "commands"
	walBytes     measure = "WAL B/command"
	tableBytes   measure = "table B/command"
	cpuSeconds   measure = "CPU s"
	cpuMicros    measure = "CPU µs/command"
	peakMemory   measure = "peak RSS MB"
	latencyP50   measure = "p50 ms"
	latencyP99   measure = "p99 ms"
	latencyP999  measure = "p99.9 ms"
	latencyMax   measure = "max ms"
	reached      measure = "reached/s"
	holds        measure = "holds the rate" // 1: yes
)

// run runs one contestant in a fresh arena. Whatever happens, its program has ended and its arena
// is gone afterwards.
func (t trial) run(ctx context.Context, l *lab, c *contestant, round int) (m measures, err error) {
	a, err := l.newArena(ctx, fmt.Sprintf("%s_%s_%d", c.name, t.name, round))
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := a.close(ctx); err == nil {
			err = closing
		}
	}()
	if err := c.program.prepare(ctx, a); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	return t.measure(ctx, a, c, t)
}

// limit is how long a run of so many commands may take: it ends what hangs, and nothing that is
// merely slow.
func limit(commands int) time.Duration {
	return 2*time.Minute + time.Duration(commands)*time.Second/100
}
