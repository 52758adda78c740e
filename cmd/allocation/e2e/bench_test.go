package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// The benchmarks run a worker on the servers that the tests use:
//
//	go run ./cmd/withservers go test -run '^$' -bench . ./cmd/allocation/e2e
//
// BENCH_COMMANDS is how many commands a backlog has, BENCH_SKUS how many products they are for.
const (
	benchPartitions = 12
	benchQty        = 1_000_000_000
)

// BenchmarkBacklog drains a backlog of allocations; an operation is all of it.
func BenchmarkBacklog(b *testing.B) {
	commands, skus := number(b, "BENCH_COMMANDS", "200000"), number(b, "BENCH_SKUS", "1000")
	var rates []float64
	for b.Loop() {
		b.StopTimer()
		a := arenaOn(b, benchPartitions, testbed.Migrated(b)).itself()
		a.preload(skus, commands)
		b.StartTimer()
		rates = append(rates, a.drain(b, skus+commands))
	}
	b.ReportMetric(median(rates), "commands/s")
}

// drain runs a worker until so many events are published, and returns how many were in a second.
func (a *arena) drain(b *testing.B, events int) float64 {
	b.Helper()
	began := time.Now()
	worker := a.start("worker", "")
	a.awaitPublished(int64(events))
	took := time.Since(began)
	b.StopTimer()
	worker.stop()
	b.StartTimer()
	return float64(events) / took.Seconds()
}

// BenchmarkOneAtATime sends one command and waits for its event before it sends the next.
func BenchmarkOneAtATime(b *testing.B) {
	a := arenaOn(b, benchPartitions, testbed.Migrated(b)).itself()
	reader, err := kgo.NewClient(kgo.SeedBrokers(a.brokers), kgo.ConsumeTopics(a.events), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(b, err)
	defer reader.Close()
	worker := a.start("worker", "")
	a.produce("CreateBatch", fmt.Sprintf(`{"ref":"b0","sku":"SKU0","qty":%d}`, benchQty))
	require.NotEmpty(b, reader.PollFetches(b.Context()).Records())
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		r := &kgo.Record{Topic: a.commands[0], Partition: int32(len(took) % benchPartitions), Headers: typed("Allocate")}
		r.Value = fmt.Appendf(nil, `{"orderid":"o%d","sku":"SKU0","qty":1}`, len(took))
		require.NoError(b, a.client.ProduceSync(b.Context(), r).FirstErr())
		require.NotEmpty(b, reader.PollFetches(b.Context()).Records())
		took = append(took, time.Since(began))
	}
	worker.stop()
	slices.Sort(took)
	for _, percent := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*percent/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", percent))
	}
}

// preload sends a large batch of each product, and then allocations, each product's on one
// partition.
func (a *arena) preload(skus, commands int) {
	a.t.Helper()
	producer, err := kgo.NewClient(kgo.SeedBrokers(a.brokers), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(a.t, err)
	defer producer.Close()
	kinds := map[bool][]kgo.RecordHeader{true: typed("CreateBatch"), false: typed("Allocate")}
	for i := range skus + commands {
		sku := i % skus
		r := &kgo.Record{Topic: a.commands[0], Partition: int32(sku % benchPartitions), Key: fmt.Appendf(nil, "SKU%d", sku), Headers: kinds[i < skus]}
		if i < skus {
			r.Value = fmt.Appendf(nil, `{"ref":"b%d","sku":"SKU%d","qty":%d}`, sku, sku, benchQty)
		} else {
			r.Value = fmt.Appendf(nil, `{"orderid":"order-%d","sku":"SKU%d","qty":1}`, i, sku)
		}
		producer.Produce(a.t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				a.t.Errorf("preload: %v", err)
			}
		})
	}
	require.NoError(a.t, producer.Flush(a.t.Context()))
}

// typed are the headers of a command.
func typed(commandType string) []kgo.RecordHeader {
	return []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1." + commandType)}}
}

// published is how many events were.
func (a *arena) published() (n int64) {
	a.t.Helper()
	ends, err := a.admin.ListEndOffsets(a.t.Context(), a.events)
	require.NoError(a.t, err)
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// awaitPublished waits until so many events are published. It reads none of them, so it costs
// little beside what is measured.
func (a *arena) awaitPublished(events int64) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 10*time.Minute)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for a.published() < events {
		select {
		case <-look.C:
		case <-ctx.Done():
			require.Fail(a.t, "not published in time", "%d events", events)
		}
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkHeldKey drains a backlog for 10,000 products, alternately with nothing held and with one
// product held, and prints the ratio of the medians.
func BenchmarkHeldKey(b *testing.B) {
	const skus = 10_000
	commands := number(b, "BENCH_COMMANDS", "200000")
	drain := func(hold bool) float64 {
		b.StopTimer()
		a := arenaOn(b, benchPartitions, testbed.Migrated(b)).itself()
		a.preload(skus, commands)
		events := skus + commands
		if hold {
			a.exec(`insert into dead_letters (source, row_no, command_offset, reason, message, headers) values (0, 0, 0, 'internal', 'held', '\x00');
				insert into held_keys (key, source, row_no) values ('SKU7', 0, 0)`)
			events -= 1 + (commands+skus-1-7)/skus
		}
		b.StartTimer()
		return a.drain(b, events)
	}
	var free, held []float64
	for b.Loop() {
		free, held = append(free, drain(false)), append(held, drain(true))
	}
	b.ReportMetric(median(free), "free-commands/s")
	b.ReportMetric(median(held), "held-commands/s")
	b.ReportMetric(median(held)/median(free), "held/free")
}
