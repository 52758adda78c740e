package bench

import (
	"fmt"
	"maps"
	"slices"

	"allocation/cmd/internal/cli"
)

// printReport prints what was measured, for people.
func printReport(p *cli.Program, r *Report) error {
	t := cli.NewTable(p.Out, "WORKLOAD", r.Workload)
	commands := cli.Count(int64(r.Commands))
	if r.Repeats > 0 {
		commands += fmt.Sprintf(", of which %s repeat another", cli.Count(int64(r.Repeats)))
	}
	t.Row("commands", commands)
	events := cli.Count(int64(r.Events))
	if r.Repeated > 0 {
		events += fmt.Sprintf(", and %s of them again", cli.Count(int64(r.Repeated)))
	}
	t.Row("events", events)
	t.Row("order ids", r.Orders)
	t.Row("products", cli.Count(int64(r.Products)))
	t.Row("lines before", fmt.Sprintf("%s dispatched, %s allocated, %s waiting", cli.Count(r.Before.Dispatched), cli.Count(r.Before.Allocated), cli.Count(r.Before.Waiting)))
	t.Row("workers started", cli.Count(int64(r.Workers)))
	if r.Throughput != nil {
		t.Row("throughput", fmt.Sprintf("%s commands a second, in %.3f s", cli.Count(int64(r.Throughput.Rate)), r.Throughput.Seconds))
	}
	if r.Rate > 0 {
		t.Row("rate", cli.Count(int64(r.Rate))+" commands a second")
	}
	for _, command := range slices.Sorted(maps.Keys(r.Latency)) {
		t.Row("latency, "+command, latencyText(r.Latency[command]))
	}
	if s := r.Storm; s != nil {
		t.Row("storm", fmt.Sprintf("%s of %s lines moved in %.3f s", cli.Count(int64(s.Moved)), cli.Count(int64(s.Lines)), s.Seconds))
		t.Row("latency of others, before", latencyText(s.Before))
		t.Row("of other appliers, during", latencyText(s.During))
		t.Row("of the same applier, during", latencyText(s.Behind))
	}
	printCosts(t, r)
	return t.Flush()
}

func printCosts(t *cli.Table, r *Report) {
	if r.CPU.Workers > 0 {
		t.Row("CPU of workers", fmt.Sprintf("%.1f µs a command", r.CPU.Workers*1e6))
	}
	if b := r.Batches; b != nil {
		t.Row("transactions", fmt.Sprintf("%s, of %.1f commands on average", cli.Count(int64(b.Transactions)), b.Mean))
	}
	if r.PeakMemory > 0 {
		t.Row("memory of a worker, peak", fmt.Sprintf("%.1f MiB", float64(r.PeakMemory)/(1<<20)))
	}
	t.Row("write-ahead log", fmt.Sprintf("%.0f bytes a command", r.WAL))
	t.Row("tables and indexes", fmt.Sprintf("%.0f bytes a command", r.Tables))
}

func latencyText(l Latencies) string {
	if l.Commands == 0 {
		return "no commands"
	}
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms, of %s commands", l.P50, l.P99, l.P999, l.Max, cli.Count(int64(l.Commands)))
}
