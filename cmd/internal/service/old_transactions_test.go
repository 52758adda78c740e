package service

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/store/products"
)

// openTransaction opens one that needs the rows as they are, and gives what ends it.
func openTransaction(t *testing.T, database string) (end func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(t.Context(), `set application_name = 'report'; begin isolation level repeatable read; select from products`)
	require.NoError(t, err)
	return func() {
		_, err := conn.Exec(t.Context(), `rollback`)
		require.NoError(t, err)
	}
}

func TestOldTransactions_areNamedOnce(t *testing.T) {
	t.Parallel()
	database := testbed.Migrated(t)
	db, err := store.Open(t.Context(), store.Options{Service: products.Service, URL: database})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	var log bytes.Buffer
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "age"})
	o := &oldTransactions{db: db, gauge: gauge, logger: slog.New(slog.NewTextHandler(&log, nil)), after: time.Second}
	named := func() bool {
		o.look(t.Context())
		return strings.Contains(log.String(), `, application \"report\", in a transaction since `)
	}
	end := openTransaction(t, database)
	testbed.Eventually(t, named)
	require.True(t, named())
	require.Equal(t, 1, strings.Count(log.String(), "\n"), "once is enough")

	runbook := readRunbook(t)
	_, entry, _ := strings.Cut(runbook, "## A transaction is open for long\n")
	_, sql, _ := strings.Cut(entry, "```sql\n")
	sql, _, _ = strings.Cut(sql, "```")
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var xids int
	var what, user, application string
	var client, since, state, query any
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&xids, &what, &user, &application, &client, &since, &state, &query))
	require.Contains(t, log.String(), strings.Replace(what, "session", "process", 1)+",", "the runbook finds the same")
	require.Equal(t, "report", application)
	end()
}
