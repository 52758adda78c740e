package worker_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The benchmarks run the whole pipeline on the servers that the tests use:
//
//	go run ./cmd/withservers go test -run '^$' -bench . ./worker
//
// BENCH_COMMANDS is how many commands a backlog has, BENCH_SKUS how many products they are for.
const (
	benchPartitions = 12
	benchQty        = 1_000_000_000
)

// BenchmarkBacklog drains a backlog of allocations; an operation is all of it.
func BenchmarkBacklog(b *testing.B) {
	commands, skus := setting(b, "BENCH_COMMANDS", 200_000), setting(b, "BENCH_SKUS", 1000)
	var applied int
	var busy, cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		p := newPipeline(b, benchPartitions)
		p.maxBatch = 4000
		p.preload(skus, commands)
		b.StartTimer()
		began, used := time.Now(), cpuTime(b)
		m := p.start()
		p.awaitEnd(p.events, int64(skus+commands))
		busy += time.Since(began)
		cpu += cpuTime(b) - used
		applied += skus + commands
		b.StopTimer()
		require.NoError(b, m.stop())
		b.StartTimer()
	}
	b.ReportMetric(float64(applied)/busy.Seconds(), "commands/s")
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(applied), "cpu-ns/command") // of this process alone
}

// BenchmarkOneAtATime sends one command and waits for its event before it sends the next.
func BenchmarkOneAtATime(b *testing.B) {
	p := newPipeline(b, benchPartitions)
	m := p.start()
	p.send(0, "CreateBatch", `{"ref":"b0","sku":"SKU0","qty":%d}`, benchQty)
	p.await(1)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		p.send(int32(len(took)%benchPartitions), "Allocate", `{"orderid":"o%d","sku":"SKU0","qty":1}`, len(took))
		p.await(len(took) + 2)
		took = append(took, time.Since(began))
	}
	require.NoError(b, m.stop())
	slices.Sort(took)
	for _, percent := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*percent/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", percent))
	}
}

// preload sends a large batch of each product, and then allocations, each product's on one
// partition.
func (p *pipeline) preload(skus, commands int) {
	p.t.Helper()
	producer := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	kinds := map[bool][]kgo.RecordHeader{
		true:  {{Key: "ce_type", Value: []byte("allocation.v1.CreateBatch")}},
		false: {{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}},
	}
	for i := range skus + commands {
		sku := i % skus
		r := &kgo.Record{Topic: p.commands, Partition: int32(sku % benchPartitions), Key: fmt.Appendf(nil, "SKU%d", sku), Headers: kinds[i < skus]}
		if i < skus {
			r.Value = fmt.Appendf(nil, `{"ref":"b%d","sku":"SKU%d","qty":%d}`, sku, sku, benchQty)
		} else {
			r.Value = fmt.Appendf(nil, `{"orderid":"order-%d","sku":"SKU%d","qty":1}`, i, sku)
		}
		producer.Produce(p.t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				p.t.Errorf("preload: %v", err)
			}
		})
	}
	require.NoError(p.t, producer.Flush(p.t.Context()))
}

// awaitEnd waits until a topic has so many records. It reads none of them, so it costs little
// beside what is measured.
func (p *pipeline) awaitEnd(topic string, records int64) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Minute)
	defer cancel()
	admin := kadm.NewClient(p.client)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		ends, err := admin.ListEndOffsets(ctx, topic)
		require.NoError(p.t, err)
		var end int64
		ends.Each(func(o kadm.ListedOffset) { end += o.Offset })
		if end >= records {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			require.Fail(p.t, "not published in time", "%d of %d records", end, records)
		}
	}
}

// setting is a number from the environment, so that make soak can ask for more than make test.
func setting(t testing.TB, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// cpuTime is what this process has used.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
