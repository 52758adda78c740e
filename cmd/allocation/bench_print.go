package main

import (
	"fmt"
	"maps"
	"slices"

	"allocation/cmd/allocation/bench"
)

// printBench prints what was measured, for people.
func (p *program) printBench(r *bench.Report) error {
	t := newTable(p.out, "WORKLOAD", r.Workload)
	commands := count(int64(r.Commands))
	if r.Repeats > 0 {
		commands += fmt.Sprintf(", of which %s repeat another", count(int64(r.Repeats)))
	}
	t.row("commands", commands)
	events := count(int64(r.Events))
	if r.Repeated > 0 {
		events += fmt.Sprintf(", and %s of them again", count(int64(r.Repeated)))
	}
	t.row("events", events)
	t.row("order ids", string(r.Orders))
	t.row("products", count(int64(r.Products)))
	t.row("lines before", fmt.Sprintf("%s dispatched, %s allocated, %s waiting", count(r.Before.Dispatched), count(r.Before.Allocated), count(r.Before.Waiting)))
	t.row("workers started", count(int64(r.Workers)))
	if r.Throughput != nil {
		t.row("throughput", fmt.Sprintf("%s commands a second, in %.3f s", count(int64(r.Throughput.Rate)), r.Throughput.Seconds))
	}
	if r.Rate > 0 {
		t.row("rate", count(int64(r.Rate))+" commands a second")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Latency)) {
		t.row("latency, "+kind, latencyText(r.Latency[kind]))
	}
	if s := r.Storm; s != nil {
		t.row("storm", fmt.Sprintf("%s of %s lines moved in %.3f s", count(int64(s.Moved)), count(int64(s.Lines)), s.Seconds))
		t.row("latency of others, before", latencyText(s.Before))
		t.row("of other appliers, during", latencyText(s.During))
		t.row("of the same applier, during", latencyText(s.Behind))
	}
	printCosts(t, r)
	return t.flush()
}

func printCosts(t *table, r *bench.Report) {
	t.row("CPU of workers", cpuText(r.CPU.Workers))
	t.row("CPU of Kafka", cpuText(r.CPU.Kafka))
	t.row("CPU of Postgres", cpuText(r.CPU.Postgres))
	if b := r.Batches; b != nil {
		t.row("transactions", fmt.Sprintf("%s, of %.1f commands on average", count(int64(b.Transactions)), b.Mean))
	}
	if r.PeakMemory > 0 {
		t.row("memory of a worker, peak", fmt.Sprintf("%.1f MiB", float64(r.PeakMemory)/(1<<20)))
	}
	t.row("write-ahead log", fmt.Sprintf("%.0f bytes a command", r.WAL))
	t.row("tables and indexes", fmt.Sprintf("%.0f bytes a command", r.Tables))
}

func latencyText(l bench.Latencies) string {
	if l.Commands == 0 {
		return "no commands"
	}
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms, of %s commands", l.P50, l.P99, l.P999, l.Max, count(int64(l.Commands)))
}

func cpuText(seconds *float64) string {
	if seconds == nil {
		return "not seen from here"
	}
	return fmt.Sprintf("%.1f µs a command", *seconds*1e6)
}
