package local

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// closedFolder is a folder that OwnFolder makes, in one that everybody may enter.
func closedFolder(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("", "embedded-*") //nolint:usetesting // only its owner can enter a test's own
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(base)) })
	require.NoError(t, os.Chmod(base, 0o755))
	return filepath.Join(base, "data")
}

// Who knows the password runs programs as the server does.
func TestPostgres_hasNoRightsInAFolderClosedToOthers(t *testing.T) {
	t.Parallel()
	dir := closedFolder(t)
	server := startPostgres(t, dir)
	for _, path := range []string{dir, filepath.Join(dir, "postgres")} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o007, path)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.process.PID()))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^CapEff:\s0+$`, string(status))
}

func TestPostgres_copyOfAServerWithAPassword(t *testing.T) {
	t.Parallel()
	options := PostgresOptions{Dir: closedFolder(t), Password: "secret"}
	first, err := StartPostgres(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, first.Stop()) })
	require.NoFileExists(t, filepath.Join(options.Dir, "postgres.password"))
	_, err = pgx.Connect(t.Context(), databaseURL(superuser+":other", first.Port(), "postgres"))
	require.ErrorContains(t, err, "28P01")

	options.Dir = closedFolder(t)
	require.NoError(t, first.CopyTo(t.Context(), options.Dir))
	copied, err := StartPostgres(t.Context(), options)
	require.NoError(t, err)
	require.NoError(t, copied.Stop())
	options.Password = "other"
	_, err = StartPostgres(t.Context(), options)
	require.ErrorIs(t, err, ErrOtherPassword)
}
