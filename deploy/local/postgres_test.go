package local

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestPostgres_restartKeepsRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for number, end := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL, syscall.SIGINT} {
		server := startPostgres(t, dir)
		conn := connect(t, server.URL())
		_, err := conn.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS kept (number int)")
		require.NoError(t, err)
		var count int
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&count))
		require.Equal(t, number, count)
		_, err = conn.Exec(t.Context(), "INSERT INTO kept VALUES (1)")
		require.NoError(t, err)
		require.NoError(t, server.Shutdown(t.Context(), end))
		if end == syscall.SIGKILL { // what it leaves behind may be another program's number by now
			pidFile := filepath.Join(dir, "postgres", "postmaster.pid")
			require.FileExists(t, pidFile)
			require.NoError(t, os.WriteFile(pidFile, []byte("1\n"), 0o600))
		}
	}
}

func TestPostgres_isUTF8AndDurableAndAloneAtItsPortAndInItsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := startPostgres(t, dir)
	conn := connect(t, server.URL())
	for setting, want := range map[string]string{
		"server_encoding": "UTF8", "fsync": "on", "synchronous_commit": "on", "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
	} {
		var value string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&value))
		require.Equal(t, want, value, setting)
	}

	_, err := StartPostgres(t.Context(), PostgresOptions{Port: server.Port(), PortFlag: "--postgres-port", Dir: t.TempDir()})
	var inUse *AddrInUseError
	require.ErrorAs(t, err, &inUse)
	require.ErrorContains(t, err, "choose another port with --postgres-port")

	_, err = StartPostgres(t.Context(), PostgresOptions{Dir: dir})
	require.ErrorIs(t, err, ErrFolderInUse)
}

func TestPostgres_dataOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "postgres"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("11\n"), 0o600))
	_, err := StartPostgres(t.Context(), PostgresOptions{Dir: dir})
	require.ErrorIs(t, err, ErrOtherVersion)
	require.ErrorContains(t, err, "Postgres 11")
}

func startPostgres(t *testing.T, dir string) *Postgres {
	t.Helper()
	server, err := StartPostgres(t.Context(), PostgresOptions{Dir: dir, Database: "allocation", Output: t.Output()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return server
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
