package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/standby"
	"allocation/deploy/testbed/storetest"
	"allocation/store"
)

// holderIs waits until a holder is the oldest, by its name, while others write.
func holderIs(b *storetest.Bench, s *store.Store, name string, age time.Duration) {
	b.T.Helper()
	var old store.OldTransaction
	var err error
	testbed.Eventually(b.T, func() bool {
		_, err = b.DB.Exec(b.T.Context(), `select pg_current_xact_id()`)
		require.NoError(b.T, err)
		old, err = s.OldestTransaction(b.T.Context())
		return err == nil && old.Holder == name && old.Age >= age
	}, "%s", name)
}

func TestOldestTransaction_namesTheSession(t *testing.T) {
	for name, statement := range map[string]string{
		"a snapshot": `set transaction isolation level repeatable read; select from counters`,
		"a change":   `update database_identity set id = id`,
		"an id":      `select pg_current_xact_id()`,
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 1)
			blind := b.AsWorker()
			url := b.Login("allocation_worker, pg_read_all_stats")
			seeing := b.OpenWith(store.Options{URL: url})
			holderIs(b, blind, "", 0)

			outsider := b.Outsider(statement)
			session := fmt.Sprintf(`process %d, user "postgres", application "report", `, outsider.PgConn().PID())
			holderIs(b, blind, session+"since when this role may not see: it takes pg_read_all_stats", time.Second)
			var since time.Time
			err := b.DB.QueryRow(t.Context(), `select xact_start from pg_stat_activity where pid = $1`, outsider.PgConn().PID()).Scan(&since)
			require.NoError(t, err)
			holderIs(b, seeing, session+"in a transaction since "+since.UTC().Format(time.RFC3339), time.Second)
			b.Release(outsider)
			holderIs(b, blind, "", 0)
			holderIs(b, seeing, "", 0)
		})
	}
}

// A session reads notifications in a transaction of which Postgres says that it began with the last
// statement. What it holds back begins later.
func TestOldestTransaction_ofAListenerBeginsWithItsNotifications(t *testing.T) {
	b := setup(t, 1)
	listener := b.Connect()
	_, err := listener.Exec(t.Context(), `listen flood`)
	require.NoError(t, err)
	var start, now time.Time
	require.NoError(t, b.DB.QueryRow(t.Context(), `select clock_timestamp()`).Scan(&start))
	// More than the listener's connection takes while nobody reads from it.
	_, err = b.DB.Exec(t.Context(), `select pg_notify('flood', repeat('x', 7900) || n) from generate_series(1, 4000) n`)
	require.NoError(t, err)
	var name string
	require.NoError(t, b.DB.QueryRow(t.Context(), `select application_name from pg_stat_activity where pid = $1`, listener.PgConn().PID()).Scan(&name))
	holderIs(b, b.Store, fmt.Sprintf(`process %d, user "postgres", application %q, which reads notifications`, listener.PgConn().PID(), name), 0)
	old, err := b.Store.OldestTransaction(t.Context())
	require.NoError(t, err)
	require.NoError(t, b.DB.QueryRow(t.Context(), `select clock_timestamp()`).Scan(&now))
	require.LessOrEqual(t, old.Age, now.Sub(start))
}

// A transaction that has neither a snapshot nor an id holds back nothing, and one of another
// database neither.
func TestOldestTransaction_passesOverWhatHoldsBackNothing(t *testing.T) {
	b := setup(t, 1)
	b.Outsider(`select from counters`)
	storetest.At(t, testbed.Database(t), counters.Service).Outsider(`set transaction isolation level repeatable read; select from pg_class`)
	holderIs(b, b.Store, "", 0)
}

func TestOldestTransaction_namesStandbysSlotsAndPreparedTransactions(t *testing.T) {
	t.Parallel()
	pair, err := standby.Open(t.Context(), t.TempDir(), map[string]string{
		"hot_standby_feedback": "on", "wal_receiver_status_interval": "1s", "max_prepared_transactions": "2",
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pair.Close()) })
	require.NoError(t, pair.AwaitStream(t.Context()))
	b := storetest.At(t, pair.URL("postgres", "postgres"), counters.Service)
	do := func(conn *pgx.Conn, statements ...string) {
		t.Helper()
		for _, statement := range statements {
			_, err := conn.Exec(t.Context(), statement)
			require.NoError(t, err, statement)
		}
	}
	primary := b.Connect()
	reader := b.ConnectTo("postgres://postgres@" + pair.Proxies()[1].Addr() + "/postgres?sslmode=disable")

	do(reader, `begin isolation level repeatable read`, `select from pg_class`)
	var pid int
	require.NoError(t, primary.QueryRow(t.Context(), `select pid from pg_stat_replication`).Scan(&pid))
	holderIs(b, b.Store, fmt.Sprintf(`the standby of process %d, user "postgres", application "walreceiver", by hot_standby_feedback`, pid), time.Second)
	do(reader, `rollback`)

	do(primary, `select pg_create_physical_replication_slot('kept')`)
	do(reader, `alter system set primary_slot_name = 'kept'`, `select pg_reload_conf()`, `begin isolation level repeatable read`, `select from pg_class`)
	holderIs(b, b.Store, `the replication slot "kept"`, time.Second)
	do(reader, `rollback`)

	do(primary, `begin`, `create table half ()`, `prepare transaction 'half'`)
	var prepared time.Time
	require.NoError(t, primary.QueryRow(t.Context(), `select prepared from pg_prepared_xacts`).Scan(&prepared))
	holderIs(b, b.Store, `the prepared transaction "half" of user "postgres", since `+prepared.UTC().Format(time.RFC3339), time.Second)
	do(primary, `rollback prepared 'half'`)
}
