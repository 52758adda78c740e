package backup

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What was committed after the point is gone, what was before it is there; and that can be done
// again.
func TestServer_restoresToAPoint(t *testing.T) {
	t.Parallel()
	dir, sweeper, err := child.TempDir("allocation-backup-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = sweeper.Close() })
	s, err := Open(t.Context(), dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	url := s.URL()
	require.NoError(t, s.execute(t.Context(), "create table kept (n integer)"))
	for n := range 2 {
		backup, err := s.Backup(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.execute(t.Context(), "insert into kept values ($1)", n))
		require.NoError(t, s.Point(t.Context(), "here"))
		require.NoError(t, s.execute(t.Context(), "insert into kept values (-1)"))
		require.NoError(t, s.Restore(t.Context(), backup, "here"))
		require.Equal(t, url, s.URL())
		require.Len(t, kept(t, s), n+1)
	}
	require.Equal(t, []int{0, 1}, kept(t, s))
}

func kept(t *testing.T, s *Server) []int {
	t.Helper()
	rows, _ := testbed.Connect(t, s.URL()).Query(t.Context(), "select n from kept order by n")
	all, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return all
}
