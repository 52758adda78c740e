package worker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkHeldKey drains a backlog for 10,000 products, alternately with nothing held and with one
// product held, and prints the ratio of the medians.
func BenchmarkHeldKey(b *testing.B) {
	const skus = 10_000
	commands := setting(b, "BENCH_COMMANDS", 200_000)
	var free, held []float64
	drain := func(hold bool) float64 {
		b.StopTimer()
		p := newPipeline(b, benchPartitions)
		p.maxBatch = 4000
		p.preload(skus, commands)
		events := skus + commands
		if hold {
			p.query(`insert into dead_letters (source, row_no, command_offset, reason, message, headers) values (0, 0, 0, 'internal', 'held', '\x00')`)
			p.query(`insert into held_keys (key, source, row_no) values ('SKU7', 0, 0)`)
			events -= 1 + (commands+skus-1-7)/skus
		}
		b.StartTimer()
		began := time.Now()
		m := p.start()
		p.awaitEnd(p.events, int64(events))
		took := time.Since(began)
		b.StopTimer()
		require.NoError(b, m.stop())
		b.StartTimer()
		return float64(events) / took.Seconds()
	}
	for b.Loop() {
		free, held = append(free, drain(false)), append(held, drain(true))
	}
	b.ReportMetric(median(free), "free-commands/s")
	b.ReportMetric(median(held), "held-commands/s")
	b.ReportMetric(median(held)/median(free), "held/free")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
