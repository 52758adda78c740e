package standby

import (
	"net/url"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestPair_failoverLosesWhatTheStandbyLacked: clients of one URL find the new primary; the last
// commits are gone; a new standby follows.
func TestPair_failoverLosesWhatTheStandbyLacked(t *testing.T) {
	t.Parallel()
	p := open(t)
	exec(t, p, "create table kept (n integer)", "insert into kept values (1)")
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT} {
		require.NoError(t, p.Stop(t.Context(), signal))
		require.False(t, p.Running())
		require.NoError(t, p.Start(t.Context()))
		require.Equal(t, []int{1}, kept(t, p), "a primary that is started again keeps its commits")
	}
	require.NoError(t, p.AwaitStream(t.Context()))
	awaitReplay(t, p)
	p.Lag()
	exec(t, p, "insert into kept values (2)")
	require.NoError(t, p.FailOver(t.Context()))
	require.Equal(t, []int{1}, kept(t, p))

	require.NoError(t, p.Follow(t.Context()))
	require.NoError(t, p.AwaitStream(t.Context()))
	exec(t, p, "insert into kept values (3)")
	awaitReplay(t, p)
	require.NoError(t, p.FailOver(t.Context()))
	require.Equal(t, []int{1, 3}, kept(t, p))
}

func open(t *testing.T) *Pair {
	t.Helper()
	dir, sweeper, err := child.TempDir("allocation-standby-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = sweeper.Close() })
	p, err := Open(t.Context(), dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

func connect(t *testing.T, p *Pair) *pgx.Conn {
	t.Helper()
	return testbed.Connect(t, p.ProxiedURL("postgres", "postgres", url.Values{"connect_timeout": {"5"}}))
}

func exec(t *testing.T, p *Pair, statements ...string) {
	t.Helper()
	conn := connect(t, p)
	for _, statement := range statements {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}

func kept(t *testing.T, p *Pair) []int {
	t.Helper()
	rows, _ := connect(t, p).Query(t.Context(), "select n from kept order by n")
	all, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return all
}

// awaitReplay returns when the standby has everything.
func awaitReplay(t *testing.T, p *Pair) {
	t.Helper()
	testbed.Eventually(t, func() bool {
		var all bool
		err := connect(t, p).QueryRow(t.Context(), "select coalesce(bool_and(flush_lsn >= pg_current_wal_lsn()), false) from pg_stat_replication").Scan(&all)
		return err == nil && all
	})
}
