package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/standby"
)

// holderIs waits until a holder is the oldest, by its name, while others write.
func (b *bench) holderIs(s *Store, name string, age time.Duration) {
	b.t.Helper()
	var old OldTransaction
	var err error
	require.Eventually(b.t, func() bool {
		_, err = b.pool.Exec(b.t.Context(), `select pg_current_xact_id()`)
		require.NoError(b.t, err)
		old, err = s.OldestTransaction(b.t.Context())
		return err == nil && old.Holder == name && old.Age >= age
	}, 30*time.Second, 20*time.Millisecond, "%s", name)
}

func TestOldestTransaction_namesTheSession(t *testing.T) {
	for name, statement := range map[string]string{
		"a snapshot": `set transaction isolation level repeatable read; select from products`,
		"a change":   `update database_identity set id = id`,
		"an id":      `select pg_current_xact_id()`,
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 1)
			blind := b.asWorker()
			url := b.login("allocation_worker, pg_read_all_stats")
			seeing, err := Open(t.Context(), Options{Service: Products, URL: url})
			require.NoError(t, err)
			t.Cleanup(seeing.Close)
			b.holderIs(blind, "", 0)

			outsider := b.outsider(statement)
			session := fmt.Sprintf(`process %d, user "postgres", application "report", `, outsider.PgConn().PID())
			b.holderIs(blind, session+"since when this role may not see: it takes pg_read_all_stats", time.Second)
			var since time.Time
			err = b.pool.QueryRow(t.Context(), `select xact_start from pg_stat_activity where pid = $1`, outsider.PgConn().PID()).Scan(&since)
			require.NoError(t, err)
			b.holderIs(seeing, session+"in a transaction since "+since.UTC().Format(time.RFC3339), time.Second)
			b.release(outsider)
			b.holderIs(blind, "", 0)
			b.holderIs(seeing, "", 0)
		})
	}
}

// A transaction that has neither a snapshot nor an id holds back nothing, and one of another
// database neither.
func TestOldestTransaction_passesOverWhatHoldsBackNothing(t *testing.T) {
	b := setup(t, 1)
	b.outsider(`select from products`)
	other := &bench{t: t, url: testbed.Database(t)}
	other.outsider(`set transaction isolation level repeatable read; select from pg_class`)
	b.holderIs(b.Store, "", 0)
}

func TestOldestTransaction_namesStandbysSlotsAndPreparedTransactions(t *testing.T) {
	t.Parallel()
	pair, err := standby.Open(t.Context(), t.TempDir(), map[string]string{
		"hot_standby_feedback": "on", "wal_receiver_status_interval": "1s", "max_prepared_transactions": "2",
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pair.Close()) })
	require.NoError(t, pair.AwaitStream(t.Context()))
	b := &bench{t: t, url: pair.URL("postgres", "postgres")}
	b.Store = b.open("test")
	do := func(conn *pgx.Conn, statements ...string) {
		t.Helper()
		for _, statement := range statements {
			_, err := conn.Exec(t.Context(), statement)
			require.NoError(t, err, statement)
		}
	}
	primary := b.connect()
	reader := (&bench{t: t, url: "postgres://postgres@" + pair.Proxies()[1].Addr() + "/postgres?sslmode=disable"}).connect()

	do(reader, `begin isolation level repeatable read`, `select from pg_class`)
	var pid int
	require.NoError(t, primary.QueryRow(t.Context(), `select pid from pg_stat_replication`).Scan(&pid))
	b.holderIs(b.Store, fmt.Sprintf(`the standby of process %d, user "postgres", application "walreceiver", by hot_standby_feedback`, pid), time.Second)
	do(reader, `rollback`)

	do(primary, `select pg_create_physical_replication_slot('kept')`)
	do(reader, `alter system set primary_slot_name = 'kept'`, `select pg_reload_conf()`, `begin isolation level repeatable read`, `select from pg_class`)
	b.holderIs(b.Store, `the replication slot "kept"`, time.Second)
	do(reader, `rollback`)

	do(primary, `begin`, `create table half ()`, `prepare transaction 'half'`)
	var prepared time.Time
	require.NoError(t, primary.QueryRow(t.Context(), `select prepared from pg_prepared_xacts`).Scan(&prepared))
	b.holderIs(b.Store, `the prepared transaction "half" of user "postgres", since `+prepared.UTC().Format(time.RFC3339), time.Second)
	do(primary, `rollback prepared 'half'`)
}
