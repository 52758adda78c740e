package worker_test

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// checkAdded checks that so many commands took effect which add one to a counter that began with
// nothing, each once: in the tables, and in the events, whose repeats are equal and whose first
// appearances are in sequence for each key. Nothing was refused.
func (p *pipeline) checkAdded(want int) {
	p.t.Helper()
	require.Zero(p.t, p.number(`select count(*) from dead_letters`))
	require.Equal(p.t, want, p.number(`select sum(value) from counters`), "what was added")
	names := p.number(`select count(*) from counter_names`)
	require.Equal(p.t, names+want, p.number(`select sum(version) from counters`), "events")

	first := map[string]*kgo.Record{}
	sequences := map[string]int{}
	for read := 0; len(first) < names+want; {
		for _, r := range p.await(read + 1)[read:] {
			read++
			require.Equal(p.t, p.events, r.Topic, "a dead letter: %s", header(r, "dlq-message"))
			if before, repeated := first[header(r, "ce_id")]; repeated {
				require.Equal(p.t, before.Headers, r.Headers)
				require.Equal(p.t, before.Value, r.Value)
				continue
			}
			first[header(r, "ce_id")] = r
			key := header(r, "ce_partitionkey")
			sequences[key]++
			require.Equal(p.t, fmt.Sprintf("%019d", sequences[key]), header(r, "ce_sequence"), key)
		}
	}
}

// checkNames checks which names were given, and that nothing was refused.
func (p *pipeline) checkNames(want []string) {
	p.t.Helper()
	var names string
	p.ask(&names, `select coalesce(string_agg(name, ' '), '') from counter_names`)
	require.ElementsMatch(p.t, want, strings.Fields(names))
	require.Zero(p.t, p.number(`select count(*) from dead_letters`))
}

// added are the subjects of events that tell of an addition, in order of first appearance.
func added(records []*kgo.Record) (names []string) {
	seen := map[string]bool{}
	for _, r := range records {
		if id := header(r, "ce_id"); header(r, "ce_type") == typePrefix+"Added" && !seen[id] {
			seen[id] = true
			names = append(names, header(r, "ce_subject"))
		}
	}
	return names
}
