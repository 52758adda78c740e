// Package backup runs a Postgres server that archives its log, and restores it to an earlier point
// from a base backup.
package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/deploy/local"
	"allocation/deploy/testbed/await"
)

// Server is a server that keeps its address when it is restored. Its methods are for one goroutine
// at a time.
type Server struct {
	dir     string
	archive string
	port    int
	server  *local.Postgres
	backups int
}

// Open makes a server in an empty folder.
func Open(ctx context.Context, dir string) (*Server, error) {
	port, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, archive: filepath.Join(dir, "archive"), port: port}
	const all = 0o777 // the server may run as another user
	if err := errors.Join(os.MkdirAll(s.archive, all), os.Chmod(s.archive, all)); err != nil {
		return nil, err
	}
	return s, s.start(ctx, filepath.Join(dir, "first"), nil)
}

func (s *Server) start(ctx context.Context, dir string, more map[string]string) (err error) {
	settings := map[string]string{
		// Tests look at the service's tables by their names alone.
		"search_path":                "allocation, public",
		"dynamic_shared_memory_type": "mmap", // in the data folder, and not where a killed server would leave it
		"archive_mode":               "on",
		"archive_command":            fmt.Sprintf(`test ! -f "%[1]s/%%f" && cp "%%p" "%[1]s/%%f.part" && mv "%[1]s/%%f.part" "%[1]s/%%f"`, s.archive),
	}
	maps.Copy(settings, more)
	s.server, err = local.StartPostgres(ctx, local.PostgresOptions{Dir: dir, Port: s.port, Settings: settings, Output: os.Stderr})
	return err
}

// URL is the connection string of the superuser and the database postgres, the same after Restore.
func (s *Server) URL() string { return s.server.URL() }

// Backup makes a base backup, and returns its folder for Restore.
func (s *Server) Backup(ctx context.Context) (dir string, err error) {
	s.backups++
	dir = filepath.Join(s.dir, fmt.Sprintf("backup-%d", s.backups))
	return dir, s.server.CopyTo(ctx, dir)
}

// Point names the present, for Restore.
func (s *Server) Point(ctx context.Context, name string) error {
	return s.execute(ctx, "select pg_create_restore_point($1)", name)
}

func (s *Server) execute(ctx context.Context, query string, args ...any) error {
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, query, args...)
	return err
}

// Restore ends the server, and starts one in its place as it was at the point: from a backup made
// before, which it uses up, and the archived log.
func (s *Server) Restore(ctx context.Context, backup, point string) error {
	if err := s.execute(ctx, "select pg_switch_wal()"); err != nil {
		return err
	}
	if err := s.server.Shutdown(ctx, syscall.SIGINT); err != nil { // which archives what is left
		return err
	}
	if err := beginRecovery(filepath.Join(backup, "postgres")); err != nil {
		return err
	}
	err := s.start(ctx, backup, map[string]string{
		"restore_command":          fmt.Sprintf(`cp "%s/%%f" "%%p"`, s.archive),
		"recovery_target_name":     point,
		"recovery_target_action":   "promote",
		"recovery_target_timeline": "latest",
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return await.Yes(ctx, s.URL(), "select not pg_is_in_recovery()")
}

// beginRecovery asks for recovery up to a point, where the backup asks for a standby.
func beginRecovery(data string) error {
	signal := filepath.Join(data, "recovery.signal")
	if err := os.Rename(filepath.Join(data, "standby.signal"), signal); err != nil {
		return err
	}
	return os.Chmod(signal, 0o666)
}

// Close ends the server; the folder is its maker's.
func (s *Server) Close() error { return s.server.Shutdown(context.Background(), syscall.SIGKILL) }
