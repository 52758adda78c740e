package store

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// To prepare a statement ends a transaction. In the middle of a pipeline that would commit half of
// it.
func TestPipeline_preparesNothingAfterAPartWasSent(t *testing.T) {
	t.Parallel()
	url := testbed.Database(t)
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(t.Context()) })
		return conn
	}
	conn := connect()
	_, err := conn.Exec(t.Context(), `create table things (name text)`)
	require.NoError(t, err)
	p := newPipeline(t.Context(), conn, nil)
	p.copyLast(`copy things from stdin (format binary)`, 1, func(rows *CopyRows) {
		for range 8000 { // more than goes to Postgres at once
			rows.Row()
			rows.Text(strings.Repeat("o", 1000))
		}
	})
	require.NoError(t, p.err)
	require.True(t, p.sent)
	p.Execute(`select 'another statement'`)
	require.ErrorIs(t, p.send(), errPartSent)
	p.close()
	require.True(t, conn.IsClosed())
	var rows int
	require.NoError(t, connect().QueryRow(t.Context(), `select count(*) from things`).Scan(&rows))
	require.Zero(t, rows)
}
