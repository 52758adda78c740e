package main

import (
	"fmt"
	"io"
	"math"
)

// printRatios prints ratios of medians, where both contestants took part.
func (r *results) printRatios(w io.Writer) {
	table := newTable("Ratios of medians (of a latency, less is better)", "ratio", "value")
	ratio := func(title string, a, b float64) {
		if !math.IsNaN(a) && !math.IsNaN(b) {
			table.row(title, digits(a/b))
		}
	}
	speed := func(name string, t trial) float64 { return r.of(name, t, throughput).median() }
	peers := []string{"before", "floor"}
	for _, other := range append(peers, "naive-1", "naive-12", "watermill", "watermill-10ms", "watermill-best") {
		ratio("throughput, ours / "+other, speed("ours", manyProducts), speed(other, manyProducts))
	}
	for _, cost := range []measure{cpuMicros, walBytes} {
		ratio(string(cost)+", ours / before", r.of("ours", manyProducts, cost).median(), r.of("before", manyProducts, cost).median())
	}
	ratio("throughput of one product, ours / before", speed("ours", oneProduct), speed("before", oneProduct))
	for _, name := range []string{"ours", "floor"} {
		ratio("throughput, one product / many: "+name, speed(name, oneProduct), speed(name, manyProducts))
	}
	for _, t := range []trial{slowly, quickly} {
		for _, name := range []measure{latencyP50, latencyP99} {
			for _, other := range peers {
				ratio(fmt.Sprintf("%s at %s/s, ours / %s", name, thousands(int64(t.rate)), other), r.latency("ours", t, name), r.latency(other, t, name))
			}
		}
	}
	if len(table.rows) == 0 {
		table.row("none: COMPARE_ONLY left out what ours is compared with", "–")
	}
	table.print(w)
}

// latency is that of a rate that was held: another says how long the run was, and nothing of the
// contestant.
func (r *results) latency(name string, t trial, m measure) float64 {
	if !r.held(name, t) {
		return math.NaN()
	}
	return r.of(name, t, m).median()
}
