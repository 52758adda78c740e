package main

import (
	"testing"
	"time"
)

// TestWatch_countsFromTheSchedule has 10 commands, one each 100 ms, of which the first two warm up.
func TestWatch_countsFromTheSchedule(t *testing.T) {
	begin := time.Now()
	for name, test := range map[string]struct {
		late     func(i int) time.Duration
		p50, max float64
		holds    float64
	}{
		"steady":  {func(int) time.Duration { return 50 * time.Millisecond }, 50, 50, 1},
		"behind":  {func(i int) time.Duration { return time.Duration(i) * 200 * time.Millisecond }, 1000, 1800, 0},
		"a stall": {func(i int) time.Duration { return max(0, time.Duration(7-i)*100*time.Millisecond) }, 100, 500, 1},
	} {
		const commands, from = 10, 2
		schedule := make([]time.Time, commands)
		w := &watch{received: make([]time.Time, commands)}
		for i := range schedule {
			schedule[i] = begin.Add(time.Duration(i) * 100 * time.Millisecond)
			w.received[i] = schedule[i].Add(test.late(i))
		}
		m := w.measures(schedule, from)
		if m[latencyP50] != test.p50 || m[latencyMax] != test.max || m[holds] != test.holds {
			t.Errorf("%s: %v", name, m)
		}
	}
}
