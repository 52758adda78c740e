package testbed

import (
	"context"
	"syscall"
	"testing"
)

// PostgresServer is a Postgres server of a test's own.
type PostgresServer struct{ private }

// PostgresSettings are settings of postgresql.conf.
type PostgresSettings map[string]string

// StopMode is how a Postgres server is stopped.
type StopMode syscall.Signal

// The modes of pg_ctl stop that do not wait for clients.
const (
	Fast      = StopMode(syscall.SIGINT)  // ends connections, rolls back their transactions, and writes a checkpoint
	Immediate = StopMode(syscall.SIGQUIT) // leaves at once, and recovers at the next start
)

// StartPostgres starts a Postgres server for one test, with the usual settings and those given. It
// is removed when the test has ended.
func StartPostgres(t testing.TB, settings ...PostgresSettings) *PostgresServer {
	t.Helper()
	server, err := openPostgres(context.WithoutCancel(t.Context()), merge(settings))
	return &PostgresServer{newPrivate(t, server, err)}
}

// URL is the connection string of the superuser and the database postgres, the same after a
// restart.
func (s *PostgresServer) URL() string { return s.server.addr }

// Stop stops the server in an orderly way.
func (s *PostgresServer) Stop(mode StopMode) { s.t.Helper(); s.signal(syscall.Signal(mode)) }
