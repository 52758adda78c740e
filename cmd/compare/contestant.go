package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"allocation/cmd/compare/contest"
)

// contestant is one way to do the work.
type contestant struct {
	name    string
	does    string // what it does, in a sentence
	backlog int    // commands of a throughput run
	hot     bool   // whether it also has a run with one product
	program program

	lines     string // a query: how many order lines it keeps
	allocated string // likewise, the quantity that batches have given away
}

// program runs a contestant in an arena.
type program interface {
	// prepare makes tables and batches.
	prepare(ctx context.Context, a *arena) error
	// start starts what is measured.
	start(a *arena) (*process, error)
}

const (
	manyCommands = 1_000_000
	fewCommands  = 20_000
)

func allContestants(o options) []*contestant {
	worker := contestant{
		name: "ours", does: "the worker, told nothing but where things are", backlog: manyCommands, hot: true, program: ours{"bin/allocation"},
		lines: `select count(*) from lines`, allocated: `select sum(allocated)::bigint from batches`,
	}
	floor := contestant{
		name: "floor", does: "the least work that any correct worker must do, a program without features: two appliers, up to 4000 commands a transaction, COPY",
		backlog: manyCommands, hot: true, program: peer{"floor"},
		lines: `select count(*) from f_lines`, allocated: `select sum(allocated)::bigint from f_batches`,
	}
	all := []*contestant{&worker, &floor}
	if o.before != "" {
		before := worker
		before.name, before.does, before.program = "before", "the worker as the program of COMPARE_BEFORE has it", ours{o.before}
		all = slices.Insert(all, 1, &before)
	}
	shards := fmt.Sprint(contest.Partitions)
	return append(all,
		watermill("watermill", "Watermill as it comes: a transaction for each command, a partition's one after the other, and a forwarder that polls every second"),
		watermill("watermill-10ms", "the same, polling every 10 ms", "-poll-interval", "10ms"),
		watermill("watermill-best", "Watermill with an outbox table and a forwarder for each partition; rows are deleted, and looked for every 10 ms",
			"-shards", shards, "-queue", "-poll-interval", "10ms"))
}

func watermill(name, does string, flags ...string) *contestant {
	return &contestant{
		name: name, does: does, backlog: fewCommands, program: peer(append([]string{"watermill"}, flags...)),
		lines: `select count(*) from w_lines`, allocated: `select sum(allocated)::bigint from w_batches`,
	}
}

// choose takes the named ones, or all.
func choose(all []*contestant, names []string) (chosen []*contestant, err error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, c := range all {
		known = append(known, c.name)
	}
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			return nil, fmt.Errorf("COMPARE_ONLY names %q; there are %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
