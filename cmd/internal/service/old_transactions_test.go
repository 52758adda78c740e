package service

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/store/products"
)

// lastValue is a gauge that a test can read.
type lastValue struct {
	prometheus.Gauge
	value float64
}

// Set implements prometheus.Gauge.
func (g *lastValue) Set(value float64) { g.value = value }

func TestOldTransactions_areMeasuredAndNamedOnce(t *testing.T) {
	t.Parallel()
	database := testbed.Migrated(t)
	db, err := store.Open(t.Context(), store.Options{Service: products.Service, URL: database})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	var log bytes.Buffer
	gauge := &lastValue{}
	o := &oldTransactions{db: db, gauge: gauge, logger: slog.New(slog.NewTextHandler(&log, nil)), after: time.Second}
	named := func() bool {
		o.look(t.Context())
		return strings.Contains(log.String(), `, application \"report\", in a transaction since `)
	}
	conn := testbed.Connect(t, database)
	_, err = conn.Exec(t.Context(), `set application_name = 'report'; begin isolation level repeatable read; select from products`)
	require.NoError(t, err)
	testbed.Eventually(t, named)
	require.True(t, named())
	require.Equal(t, 1, strings.Count(log.String(), "\n"), "once is enough")
	require.GreaterOrEqual(t, gauge.value, 1.0)

	runbook := readRunbook(t)
	_, entry, _ := strings.Cut(runbook, "## A transaction is open for long\n")
	_, sql, _ := strings.Cut(entry, "```sql\n")
	sql, _, _ = strings.Cut(sql, "```")
	var xids int
	var what, user, application string
	var client, since, state, query any
	require.NoError(t, testbed.Connect(t, database).QueryRow(t.Context(), sql).Scan(&xids, &what, &user, &application, &client, &since, &state, &query))
	require.Contains(t, log.String(), strings.Replace(what, "session", "process", 1)+",", "the runbook finds the same")
	require.Equal(t, "report", application)
	_, err = conn.Exec(t.Context(), `rollback`)
	require.NoError(t, err)
	testbed.Eventually(t, func() bool { o.look(t.Context()); return gauge.value == 0 }, "it is over")
}
