package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain"
	"allocation/worker"
)

// manyRows is more than goes to Postgres at once.
const manyRows = 8000

// manyLines are commands that place lines with long names.
func manyLines() []worker.Command {
	commands := make([]worker.Command, manyRows)
	for i := range commands {
		commands[i] = command(0, "Allocate", `{"orderid":"%s-%d","sku":"CHAIR","qty":1}`, strings.Repeat("o", 240), i)
	}
	return commands
}

func (b *bench) count(query string) (n int) {
	b.t.Helper()
	require.NoError(b.t, b.pool.QueryRow(b.t.Context(), query).Scan(&n))
	return n
}

func TestApply_commitsRowsThatAreSentInParts(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, manyRows))
	applied := b.apply(manyLines()...)
	require.Len(t, applied.Rows[0], manyRows)
	require.Equal(t, manyRows, b.count(`select count(*) from lines`))
	require.Equal(t, 1+manyRows, b.count(`select count(*) from outbox`))
	require.Equal(t, manyRows, b.count(`select count(distinct subject) from outbox where type = 'Allocated' and length(subject) > 240`))
}

// A refusal is known when Postgres has read all parts; the connection is as good as before.
func TestApply_commitsNothingOfPartsThatAreRefused(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, manyRows))
	b.claim(b.open("another"), 1)
	before := b.pool.Stat().NewConnsCount()
	_, err := b.Apply(t.Context(), b.batch(manyLines()...))
	var fenced *worker.FencedError
	require.ErrorAs(t, err, &fenced)
	require.Zero(t, b.count(`select count(*) from lines`))
	require.Equal(t, before, b.pool.Stat().NewConnsCount())
}

// To prepare a statement ends a transaction. In the middle of a pipeline that would commit half of
// it.
func TestPipeline_preparesNothingAfterAPartWasSent(t *testing.T) {
	b := setup(t, 1)
	conn, err := b.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	p := newPipeline(t.Context(), conn.Conn(), nil)
	p.copyLast(copyLinesSQL, lineColumns, func(rows *CopyRows) {
		for i := range manyRows {
			id := domain.LineID{OrderID: fmt.Sprint(strings.Repeat("o", 1000), i), SKU: "CHAIR"}
			copyLine(rows, &domain.Line{ID: id, Qty: 1, Placed: 1, State: domain.Waiting}, Ref{Source: 1, day: 1})
		}
	})
	require.NoError(t, p.err)
	require.True(t, p.sent)
	p.Execute(`select 'another statement'`)
	require.ErrorIs(t, p.send(), errPartSent)
	p.close()
	require.True(t, conn.Conn().IsClosed())
	require.Zero(t, b.count(`select count(*) from lines`))
}
