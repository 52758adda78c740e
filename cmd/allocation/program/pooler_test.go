package program_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed/pooler"
)

func TestProgram_refusesAPoolerThatSharesSessions(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	p, err := pooler.New(database)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	programtest.UseDatabase(t, p.URL())
	s := programtest.NewService(t)
	for name, o := range map[string]programtest.Outcome{
		"worker": s.RunWorker(), "migrate up": programtest.Run(t, "migrate", "up"), "migrate status": programtest.Run(t, "migrate", "status"),
		"show": programtest.Run(t, "show", "order", "o1"), "verify": programtest.Run(t, "verify"), "dlq": programtest.Run(t, "dlq", "list"), "offsets": programtest.Run(t, "offsets", "list"),
	} {
		require.Equal(t, cli.ExitFailed, o.Code, name)
		require.Contains(t, o.Err, "allocation: DATABASE_URL leads to a connection pooler", name)
		require.Contains(t, o.Err, "pool_mode = session", name)
	}
}
