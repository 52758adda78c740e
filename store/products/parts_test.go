package products

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

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

func TestApply_commitsRowsThatAreSentInParts(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, manyRows))
	applied := b.Do(manyLines()...)
	require.Len(t, applied.Rows[0], manyRows)
	require.Equal(t, manyRows, b.Count(`select count(*) from lines`))
	require.Equal(t, 1+manyRows, b.Count(`select count(*) from outbox`))
	require.Equal(t, manyRows, b.Count(`select count(distinct subject) from outbox where type = 'Allocated' and length(subject) > 240`))
}

// A refusal is known when Postgres has read all parts; the connection is as good as before.
func TestApply_commitsNothingOfPartsThatAreRefused(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, manyRows))
	b.ClaimFor(b.Open("another"), 1)
	session := b.session()
	_, err := b.Apply(t.Context(), b.Transaction(manyLines()...))
	var fenced *worker.FencedError
	require.ErrorAs(t, err, &fenced)
	require.Zero(t, b.Count(`select count(*) from lines`))
	require.Equal(t, session, b.session())
}

// session is the process of the session that the store takes next.
func (b *bench) session() (pid int) {
	b.T.Helper()
	rows, err := b.Query(b.T.Context(), `select pg_backend_pid()`)
	require.NoError(b.T, err)
	pid, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	require.NoError(b.T, err)
	return pid
}
