package worker_test

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// ask has the database answer a question with one value.
func (p *pipeline) ask(answer any, sql string, args ...any) {
	p.t.Helper()
	if p.asking == nil {
		conn, err := pgx.Connect(p.t.Context(), p.database)
		require.NoError(p.t, err)
		p.asking = conn
		p.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	}
	require.NoError(p.t, p.asking.QueryRow(p.t.Context(), sql, args...).Scan(answer))
}

func (p *pipeline) number(sql string, args ...any) (n int) {
	p.t.Helper()
	p.ask(&n, sql, args...)
	return n
}

// always wants a condition to stay true. It asks in the test's own goroutine, so that the condition
// may fail the test.
func (p *pipeline) always(during time.Duration, condition func() bool) {
	p.t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(during); time.Now().Before(end); <-look.C {
		require.True(p.t, condition(), "not for %s", during)
	}
}
