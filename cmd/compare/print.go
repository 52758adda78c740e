package main

import (
	"fmt"
	"io"
	"strings"
)

// print writes the tables: medians with the least and the most, and ratios of medians.
func (r *results) print(w io.Writer, o options) {
	fmt.Fprintf(w, "\nMedians of %d rounds (least–most).\n", o.rounds)
	r.printThroughput(w)
	r.printLatency(w, slowly)
	r.printLatency(w, quickly)
	r.printChecks(w)
	r.printRatios(w)
}

func (r *results) printThroughput(w io.Writer) {
	shown := []measure{throughput, commandCount, walBytes, tableBytes, cpuMicros, cpuSeconds, peakMemory, batchMean}
	for _, t := range []trial{manyProducts, oneProduct} {
		title := fmt.Sprintf("From a backlog, %d products at random", products)
		if t.hot {
			title = "From a backlog, all commands for one product"
		}
		table := newTable(title, "contestant", shown)
		for _, c := range r.contestants {
			if t.hot && !c.hot {
				continue
			}
			var cells []string
			for _, name := range shown {
				cells = append(cells, r.of(c.name, t, name).String())
			}
			table.row(c.name, cells...)
		}
		table.print(w)
	}
}

func (r *results) printLatency(w io.Writer, t trial) {
	shown := []measure{latencyP50, latencyP99, latencyP999, latencyMax, reached}
	table := newTable(fmt.Sprintf("Latency at %s commands/s, from when a command was to be sent until its event was received", thousands(int64(t.rate))), "contestant", shown)
	table.head = append(table.head, "holds the rate")
	for _, c := range r.contestants {
		var cells []string
		for _, name := range shown {
			cells = append(cells, r.of(c.name, t, name).String())
		}
		answer := "no: these are of what came until it was stopped"
		switch {
		case len(r.runs[runKey{c.name, t.name}]) == 0:
			answer = "–"
		case r.held(c.name, t):
			answer = "yes"
		}
		table.row(c.name, append(cells, answer)...)
	}
	table.print(w)
}

// printChecks shows what was found where nothing failed: what failed is an error.
func (r *results) printChecks(w io.Writer) {
	table := newTable("Checked after each run: every order has one line and one distinct event, which is the right one", "contestant", nil)
	table.head = append(table.head, "runs", "orders", "repeated events", "events out of their product's order", "outbox rows", "most commands/tx")
	for _, c := range r.contestants {
		k := c.checks
		table.row(c.name, fmt.Sprint(k.runs), thousands(int64(k.orders)), fmt.Sprint(k.repeats), fmt.Sprint(k.disordered), k.outbox, k.largest)
	}
	table.print(w)
}

// table is a Markdown table.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func newTable(title, first string, columns []measure) *table {
	t := &table{title: title, head: []string{first}}
	for _, c := range columns {
		t.head = append(t.head, string(c))
	}
	return t
}

func (t *table) row(name string, cells ...string) {
	t.rows = append(t.rows, append([]string{name}, cells...))
}

func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n\n| %s |\n|---%s|\n", t.title, strings.Join(t.head, " | "), strings.Repeat("|--:", len(t.head)-1))
	for _, row := range t.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
}
