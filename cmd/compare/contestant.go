package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// contestant is one way to do the work.
type contestant struct {
	name    string
	does    string // what it does, in a sentence
	backlog int    // commands of a throughput run
	hot     bool   // whether it also has a run with one product
	program program
	tables  tables
	checks  checks
}

// program runs a contestant in an arena.
type program interface {
	// prepare makes tables and batches.
	prepare(ctx context.Context, a *arena) error
	// start starts what is measured.
	start(ctx context.Context, a *arena) (*process, error)
}

// tables are queries for what a contestant keeps.
type tables struct {
	lines     string // how many order lines
	allocated string // the quantity that batches have given away
	outbox    string // how many outbox rows
	keeps     bool   // published outbox rows
}

const (
	manyCommands = 1_000_000
	someCommands = 60_000
	fewCommands  = 20_000
)

func allContestants(o options) []*contestant {
	floorTables := tables{`select count(*) from f_lines`, `select sum(allocated)::bigint from f_batches`, `select count(*) from f_outbox`, true}
	naiveTables := tables{`select count(*) from n_lines`, `select sum(allocated)::bigint from n_batches`, `select count(*) from n_outbox`, false}
	floor, naive, watermill := o.peer("floor"), o.peer("naive"), o.peer("watermill")
	worker := contestant{
		name: "ours", does: "the worker, told nothing but where things are",
		backlog: manyCommands, hot: true, program: ours{o.allocation},
		tables: tables{`select count(*) from lines`, `select sum(allocated)::bigint from batches`, `select count(*) from outbox where type = 'Allocated'`, true},
	}
	all := []*contestant{&worker}
	if o.before != "" {
		before := worker
		before.name, before.does, before.program = "before", "the worker as the program of COMPARE_BEFORE has it", ours{o.before}
		all = append(all, &before)
	}
	return append(all, []*contestant{
		{
			name: "floor", does: "the least work that any correct worker must do, a program without features: two appliers, up to 4000 commands a transaction, COPY",
			backlog: manyCommands, hot: true, program: peer{floor, nil}, tables: floorTables,
		},
		{
			name: "naive-1", does: "a transaction for each command, on one connection, and a relay that polls every 50 ms",
			backlog: fewCommands, program: peer{naive, []string{"-connections", "1"}}, tables: naiveTables,
		},
		{
			name: "naive-12", does: "the same with a connection for each partition",
			backlog: someCommands, program: peer{naive, []string{"-connections", "12"}}, tables: naiveTables,
		},
		{
			name: "watermill", does: "Watermill as it comes: a transaction for each command, a partition's one after the other, and a forwarder that polls every second",
			backlog: fewCommands, program: peer{watermill, nil}, tables: watermillTables(1, true),
		},
		{
			name: "watermill-10ms", does: "the same, polling every 10 ms",
			backlog: fewCommands, program: peer{watermill, []string{"-poll-interval", "10ms"}}, tables: watermillTables(1, true),
		},
		{
			name: "watermill-best", does: "Watermill with an outbox table and a forwarder for each partition; rows are deleted, and looked for every 10 ms",
			backlog: fewCommands, program: peer{watermill, []string{"-shards", "12", "-queue", "-poll-interval", "10ms"}}, tables: watermillTables(partitions, false),
		},
	}...)
}

func watermillTables(shards int, keeps bool) tables {
	var counts []string
	for i := range shards {
		counts = append(counts, fmt.Sprintf(`(select count(*) from watermill_outbox_%d)`, i))
	}
	return tables{`select count(*) from w_lines`, `select sum(allocated)::bigint from w_batches`, `select ` + strings.Join(counts, " + "), keeps}
}

// choose takes the named ones, or all.
func choose(all []*contestant, names []string) ([]*contestant, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []*contestant
	for _, name := range names {
		i := slices.IndexFunc(all, func(c *contestant) bool { return c.name == name })
		if i < 0 {
			var known []string
			for _, c := range all {
				known = append(known, c.name)
			}
			return nil, fmt.Errorf("COMPARE_ONLY names %q; there are %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
