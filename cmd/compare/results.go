package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// results are the measures of all runs.
type results struct {
	contestants []*contestant
	runs        map[runKey][]measures
}

type runKey struct{ contestant, trial string }

func newResults(contestants []*contestant) *results {
	return &results{contestants, map[runKey][]measures{}}
}

// fill takes turns: in each round each trial has each contestant once, so that what changes on the
// machine changes for all. Every other round has them in the opposite order: a build that comes
// before itself in each round shows about a tenth less throughput. A run that fails leaves a gap
// and an error that names it.
func (r *results) fill(ctx context.Context, l *lab) error {
	var failed []error
	for round := 1; round <= l.options.rounds; round++ {
		for _, t := range allTrials {
			for _, c := range r.turn(round) {
				if t.hot && !c.hot {
					continue
				}
				if ctx.Err() != nil {
					return errors.Join(append(failed, context.Cause(ctx))...)
				}
				if err := r.one(ctx, l, c, t, round); err != nil {
					failed = append(failed, err)
				}
			}
		}
	}
	return errors.Join(failed...)
}

// turn is the order of the contestants in a round.
func (r *results) turn(round int) []*contestant {
	order := slices.Clone(r.contestants)
	if round%2 == 0 {
		slices.Reverse(order)
	}
	return order
}

// one says on standard error how it went, because all of them take long.
func (r *results) one(ctx context.Context, l *lab, c *contestant, t trial, round int) error {
	began := time.Now()
	m, err := t.run(ctx, l, c, round)
	took := time.Since(began).Round(100 * time.Millisecond)
	if err != nil {
		err = fmt.Errorf("%s, %s, round %d: %w", c.name, t.name, round, err)
		fmt.Fprintf(os.Stderr, "%s after %s\n", err, took)
		return err
	}
	key := runKey{c.name, t.name}
	r.runs[key] = append(r.runs[key], m)
	fmt.Fprintf(os.Stderr, "round %d, %s, %s: %s in %s\n", round, t.name, c.name, m.brief(), took)
	return nil
}

// brief is what matters most.
func (m measures) brief() string {
	if _, ok := m[throughput]; ok {
		return fmt.Sprintf("%.0f/s", m[throughput])
	}
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, %.0f/s", m[latencyP50], m[latencyP99], m[reached])
}

// of is a measure over all rounds.
func (r *results) of(contestant string, t trial, name measure) sample {
	var s sample
	for _, m := range r.runs[runKey{contestant, t.name}] {
		if value, ok := m[name]; ok {
			s = append(s, value)
		}
	}
	return s
}

// held reports whether a contestant held the rate of a trial in all rounds.
func (r *results) held(contestant string, t trial) bool {
	s := r.of(contestant, t, holds)
	return len(s) > 0 && s.min() > 0
}
