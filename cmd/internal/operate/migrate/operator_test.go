package migrate_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/program"
	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
	"allocation/migrations"
)

// While an upgrade waits for a lock, workers wait behind it. So it gives up soon, and what it did
// not do can be done later.
func TestMigrateUp_givesUpWhereSomebodyElseHasLockedATable(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	programtest.Run(t, "migrate", "down", "--line=engine", "--to=5", "--yes").RequireDone(t)
	analyst := testbed.Connect(t, database)
	_, err := analyst.Exec(t.Context(), "begin; select count(*) from positions; lock table migrations_engine in share mode")
	require.NoError(t, err)

	began := time.Now()
	o := programtest.Run(t, "migrate", "up")
	o.RequireFailed(t, "somebody's open transaction has locked what is to change")
	require.Less(t, time.Since(began), 6*migrations.LockTimeout)
	programtest.Run(t, "migrate", "down", "--to=0", "--yes").RequireFailed(t, "somebody's open transaction has locked what is to change")

	_, err = analyst.Exec(t.Context(), "commit")
	require.NoError(t, err)
	require.Contains(t, programtest.Run(t, "migrate", "up").RequireDone(t), "up to date")
}

// A program of before, as after a deployment was taken back, says which version there is.
func TestMigrate_saysThatTheSchemaIsNewerThanTheProgram(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	own := lines.Latest()
	newer := own
	newer[0] += 7
	programtest.Administer(t, database, fmt.Sprintf("insert into migrations_engine (version_id, is_applied) values (%d, true)", newer[0]))

	says := fmt.Sprintf("the schema is at %s, newer than this program's %s", lines.Say(newer), lines.Say(own))
	require.Contains(t, programtest.Run(t, "migrate", "up").RequireDone(t), says)
	require.Contains(t, programtest.Run(t, "migrate", "status").Err, says)
	for _, to := range []int64{0, own[0] - 1, own[0]} {
		programtest.Run(t, "migrate", "down", "--line=engine", fmt.Sprintf("--to=%d", to), "--yes").RequireFailed(t, "nothing was undone: "+says)
	}
	require.Len(t, programtest.Tables(t, database), len(knownTables()))
}

// A dump that was restored without privileges, as hosting platforms make them, leaves the roles
// without rights.
func TestMigrateUp_givesTheRolesWhatADumpWithoutPrivilegesLost(t *testing.T) {
	t.Parallel()
	s, database, _ := programtest.AsWorkersLogin(t)
	operator, operates := programtest.NewLogin(t, database)
	programtest.Administer(t, database, "grant allocation_operator to "+operator, "revoke all on all tables in schema allocation from allocation_worker, allocation_operator")
	require.Equal(t, cli.ExitFailed, s.RunWorker().Code)
	programtest.UseDatabase(t, operates)
	programtest.Run(t, "dlq", "list").RequireFailed(t, "has the role allocation_operator, which lacks its rights")

	programtest.UseDatabase(t, database)
	programtest.Run(t, "migrate", "up").RequireDone(t, "gave a role what it lacked, grant select on allocation.migrations_engine to allocation_operator")
	require.Empty(t, programtest.Run(t, "migrate", "up").Err)

	programtest.UseDatabase(t, operates)
	require.Contains(t, programtest.Run(t, "dlq", "list").RequireDone(t), "no dead letters")
	programtest.Run(t, "offsets", "list", "--history").RequireDone(t)
	programtest.Run(t, "dlq", "discard", s.Names.Commands+".0.0").RequireFailed(t, "there is no dead letter")
}

func TestMigrateUp_saysForWhomItWaits(t *testing.T) {
	t.Parallel()
	database := programtest.NewDatabase(t)
	other := testbed.Connect(t, database)
	_, err := other.Exec(t.Context(), fmt.Sprintf("set application_name = 'deployment'; select pg_advisory_lock(%d)", migrations.DefaultSchema.LockID()))
	require.NoError(t, err)

	var said programtest.SyncBuffer
	p, code := program.New(strings.NewReader(""), &said, &said, service.Hooks{}), make(chan int)
	go func() { code <- p.Run(t.Context(), programtest.WithDatabase(t, []string{"migrate", "up"})) }()
	waits := regexp.MustCompile(fmt.Sprintf("waiting for up to 5 minutes: session %d of user .*, application deployment, has the lock of migrations", other.PgConn().PID()))
	testbed.Eventually(t, func() bool { return waits.MatchString(said.String()) })
	require.NoError(t, other.Close(t.Context()))
	require.Equal(t, cli.ExitDone, <-code)
	require.Contains(t, said.String(), "up to date")
}
