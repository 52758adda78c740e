package main

import (
	"math"
	"testing"
	"time"
)

// TestLatencies_countFromTheSchedule has 10 commands, one each 100 ms, of which the first two warm
// up.
func TestLatencies_countFromTheSchedule(t *testing.T) {
	begin := time.Now()
	due := func(i int) time.Time { return begin.Add(time.Duration(i) * 100 * time.Millisecond) }
	for name, test := range map[string]struct {
		late                func(i int) time.Duration
		p50, p99, meanwhile float64
	}{
		"steady":  {func(int) time.Duration { return 50 * time.Millisecond }, 50, 50, 7},
		"behind":  {func(i int) time.Duration { return time.Duration(i) * 200 * time.Millisecond }, 1000, 1600, 3},
		"a stall": {func(i int) time.Duration { return max(0, time.Duration(7-i)*100*time.Millisecond) }, 100, 400, 10},
	} {
		const commands, from = 10, 2
		received := make([]time.Time, commands)
		for i := range received {
			received[i] = due(i).Add(test.late(i))
		}
		m := latencies(received, from, due)
		if m[latencyP50] != test.p50 || m[latencyP99] != test.p99 || math.Round(m[reached]*0.7) != test.meanwhile {
			t.Errorf("%s: %v", name, m)
		}
		received[from] = time.Time{}
		if _, ok := latencies(received, from, due)[latencyP50]; ok {
			t.Errorf("%s: a latency where an event is missing", name)
		}
	}
}
