package worker_test

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// checkAllocations checks that so many allocations of a piece took effect, each once: in the
// tables, and in the events, whose repeats are equal and whose first appearances are in sequence
// for each product. Nothing was refused.
func (p *pipeline) checkAllocations(want int) {
	p.t.Helper()
	db, err := sql.Open("pgx", p.database)
	require.NoError(p.t, err)
	defer db.Close()
	var batches, lines, allocated, letters int
	require.NoError(p.t, db.QueryRowContext(p.t.Context(), `select (select count(*) from batches), (select sum(allocated) from batches),
		(select count(*) from lines where state = 'allocated'), (select count(*) from dead_letters)`).Scan(&batches, &allocated, &lines, &letters))
	require.Equal(p.t, []int{want, want, 0}, []int{allocated, lines, letters}, "allocated, lines, dead letters")

	first := map[string]*kgo.Record{}
	sequences := map[string]int{}
	for read := 0; len(first) < batches+want; {
		for _, r := range p.await(read + 1)[read:] {
			read++
			require.Equal(p.t, p.events, r.Topic, "a dead letter: %s", header(r, "dlq-message"))
			if before, repeated := first[header(r, "ce_id")]; repeated {
				require.Equal(p.t, before.Headers, r.Headers)
				require.Equal(p.t, before.Value, r.Value)
				continue
			}
			first[header(r, "ce_id")] = r
			sku := header(r, "ce_partitionkey")
			sequences[sku]++
			require.Equal(p.t, fmt.Sprintf("%019d", sequences[sku]), header(r, "ce_sequence"), sku)
		}
	}
}

// checkBatches checks which batches were made, and that nothing was refused.
func (p *pipeline) checkBatches(want []string) {
	p.t.Helper()
	db, err := sql.Open("pgx", p.database)
	require.NoError(p.t, err)
	defer db.Close()
	var refs string
	var letters int
	require.NoError(p.t, db.QueryRowContext(p.t.Context(), `select (select coalesce(string_agg(ref, ' '), '') from batches), (select count(*) from dead_letters)`).
		Scan(&refs, &letters))
	require.ElementsMatch(p.t, want, strings.Fields(refs))
	require.Zero(p.t, letters)
}
