package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/pooler"
)

func TestProgram_refusesAPoolerThatSharesSessions(t *testing.T) {
	database := testbed.Database(t)
	t.Setenv("DATABASE_URL", database)
	runProgram(t, "migrate", "up").requireDone(t)
	p, err := pooler.New(database)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	t.Setenv("DATABASE_URL", p.URL())
	s := &Service{t: t, names: newTopicNames(t), group: "group"}
	for name, o := range map[string]outcome{
		"worker": s.runWorker(), "migrate up": runProgram(t, "migrate", "up"), "migrate status": runProgram(t, "migrate", "status"),
		"show": runProgram(t, "show", "order", "o1"), "verify": runProgram(t, "verify"), "dlq": runProgram(t, "dlq", "list"), "offsets": runProgram(t, "offsets", "list"),
	} {
		require.Equal(t, cli.ExitFailed, o.code, name)
		require.Contains(t, o.err, "allocation: DATABASE_URL leads to a connection pooler", name)
		require.Contains(t, o.err, "pool_mode = session", name)
	}
}
