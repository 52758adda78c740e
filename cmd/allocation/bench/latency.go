package bench

import (
	"math"
	"slices"
	"time"
)

// Latencies are quantiles of times, in milliseconds, from when a command was due until its last
// event was read.
type Latencies struct {
	Commands int     `json:"commands"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	P999     float64 `json:"p999_ms"`
	Max      float64 `json:"max_ms"`
}

// summarize sorts the times.
func summarize(times []time.Duration) Latencies {
	slices.Sort(times)
	return Latencies{len(times), milliseconds(quantile(times, 0.5)), milliseconds(quantile(times, 0.99)), milliseconds(quantile(times, 0.999)), milliseconds(quantile(times, 1))}
}

// quantile is the smallest of sorted times that at least that share of them does not exceed; 0
// where there are none.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// all is what stands for commands of every kind.
const all = "all"

// latencies are those of the commands that were due within a time, by kind and all together.
// Repeats have none.
func (b *book) latencies(from, to time.Duration, counts func(entry) bool) map[string]Latencies {
	times := map[string][]time.Duration{all: nil}
	for _, e := range b.entries {
		if e.due >= from && e.due < to && counts(e) {
			times[all] = append(times[all], e.took)
			times[e.command] = append(times[e.command], e.took)
		}
	}
	by := map[string]Latencies{}
	for command, of := range times {
		by[command] = summarize(of)
	}
	return by
}
