package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results are the measures of all runs.
type results struct {
	contestants []*contestant
	runs        map[runKey][]measures
}

type runKey struct{ contestant, trial string }

// fill takes turns: in each round each trial has each contestant once, so that what changes on the
// machine changes for all. Every other round has them in the opposite order: a build that comes
// before itself in each round shows about a tenth less throughput. A run that fails leaves a gap
// and an error that names it.
func (r *results) fill(ctx context.Context, l *lab) (failed error) {
	turn := slices.Clone(r.contestants)
	for round := 1; round <= l.options.rounds; round++ {
		for _, t := range allTrials {
			for _, c := range turn {
				if t.hot && !c.hot {
					continue
				}
				if ctx.Err() != nil {
					return errors.Join(failed, context.Cause(ctx))
				}
				failed = errors.Join(failed, r.one(ctx, l, c, t, round))
			}
		}
		slices.Reverse(turn)
	}
	return failed
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
	fmt.Fprintf(os.Stderr, "round %d, %s, %s, in %s:", round, t.name, c.name, took)
	for _, name := range t.shown {
		if value, ok := m[name]; ok {
			fmt.Fprintf(os.Stderr, " %s %s", digits(value), name)
		}
	}
	fmt.Fprintln(os.Stderr)
	return nil
}

// of is a measure over all rounds.
func (r *results) of(contestant string, t trial, name measure) (s sample) {
	for _, m := range r.runs[runKey{contestant, t.name}] {
		if value, ok := m[name]; ok {
			s = append(s, value)
		}
	}
	return s
}

// print says what was compared, and writes the tables: medians with the least and the most.
func (r *results) print(w io.Writer, o options) {
	fmt.Fprintf(w, "# Side by side\n\n%s, %s/%s, %d cores; everything, servers included, on one machine. All producers wait for all replicas.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, c := range r.contestants {
		fmt.Fprintf(w, "- `%s`: %s.\n", c.name, c.does)
	}
	fmt.Fprintf(w, "\nMedians of %d rounds (least–most). The last column divides the first figure of ours by that of the row.\n", o.rounds)
	for _, t := range allTrials {
		r.printTrial(w, t)
	}
}

func (r *results) printTrial(w io.Writer, t trial) {
	fmt.Fprintf(w, "\n%s:\n\n| contestant |", t.title)
	for _, name := range t.shown {
		fmt.Fprintf(w, " %s |", name)
	}
	fmt.Fprintf(w, " ours / it |\n|---|%s\n", strings.Repeat("--:|", len(t.shown)+1))
	ours := r.of("ours", t, t.shown[0]).median()
	for _, c := range r.contestants {
		if t.hot && !c.hot {
			continue
		}
		fmt.Fprintf(w, "| %s |", c.name)
		for _, name := range t.shown {
			fmt.Fprintf(w, " %s |", r.of(c.name, t, name))
		}
		fmt.Fprintf(w, " %s |\n", digits(ours/r.of(c.name, t, t.shown[0]).median()))
	}
}
