package main

import (
	"fmt"
	"io"
	"strings"
)

// print writes the tables: medians with the least and the most, and ratios of medians.
func (r *results) print(w io.Writer, o options) {
	fmt.Fprintf(w, "\nMedians of %d rounds (least–most).\n", o.rounds)
	for _, t := range allTrials {
		r.printTrial(w, t)
	}
	r.printChecks(w)
	r.printRatios(w)
}

func (r *results) printTrial(w io.Writer, t trial) {
	shown := []string{"contestant"}
	for _, name := range t.shown() {
		shown = append(shown, string(name))
	}
	table := newTable(t.title(), shown...)
	for _, c := range r.contestants {
		if t.hot && !c.hot {
			continue
		}
		var cells []string
		for _, name := range t.shown() {
			cells = append(cells, r.cell(c.name, t, name))
		}
		table.row(c.name, cells...)
	}
	table.print(w)
}

func (r *results) cell(contestant string, t trial, name measure) string {
	switch s := r.of(contestant, t, name); {
	case name != holds || len(s) == 0:
		return s.String()
	case r.held(contestant, t):
		return "yes"
	}
	return "no: these are of what came until it was stopped"
}

// printChecks shows what was found where nothing failed: what failed is an error.
func (r *results) printChecks(w io.Writer) {
	table := newTable("Checked after each run: every order has one line and one distinct event, which is the right one",
		"contestant", "runs", "orders", "repeated events", "events out of their product's order", "outbox rows")
	for _, c := range r.contestants {
		k := c.checks
		table.row(c.name, fmt.Sprint(k.runs), thousands(int64(k.orders)), fmt.Sprint(k.repeats), fmt.Sprint(k.disordered), k.outbox)
	}
	table.print(w)
}

// table is a Markdown table.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func newTable(title string, head ...string) *table { return &table{title: title, head: head} }

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
