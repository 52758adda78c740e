package testbed

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestPostgresServer_keepsWhatWasCommittedAndFreezes(t *testing.T) {
	t.Parallel()
	server := StartPostgres(t, PostgresSettings{"max_connections": "20"})
	conn := Connect(t, server.URL())
	_, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 1 AS number")
	require.NoError(t, err)

	ends := map[string]func(){
		"fast":      func() { server.Stop(Fast) },
		"immediate": func() { server.Stop(Immediate) },
		"kill":      server.Kill,
	}
	for name, end := range ends {
		_, err := Connect(t, server.URL()).Exec(t.Context(), "UPDATE kept SET number = number + 1")
		require.NoError(t, err, name)
		end()
		_, err = pgx.Connect(t.Context(), server.URL())
		require.Error(t, err, name)
		server.Start()
	}
	var number int
	require.NoError(t, Connect(t, server.URL()).QueryRow(t.Context(), "SELECT number FROM kept").Scan(&number))
	require.Equal(t, 1+len(ends), number)

	before := Connect(t, server.URL())
	server.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = before.Exec(ctx, "SELECT 1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	server.Thaw()
	require.NoError(t, Connect(t, server.URL()).Ping(t.Context()))
	server.Freeze() // and is removed all the same
}
