package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PoolerError says that a pooler gives one session of Postgres to several clients in turn, between
// their transactions or statements. Then nothing holds that is said of a session: its settings, its
// prepared statements, its locks.
type PoolerError struct{ err error }

func (e *PoolerError) Error() string {
	says := "DATABASE_URL leads to a connection pooler that gives clients another session of Postgres for each transaction or statement; " +
		"name Postgres itself there, or a pooler in session mode (PgBouncer: pool_mode = session)"
	if e.err != nil {
		return fmt.Sprintf("%s: %v", says, e.err)
	}
	return says
}

func (e *PoolerError) Unwrap() error { return e.err }

// CheckPooler returns a *PoolerError where connections are no sessions of their own.
func (s *Store) CheckPooler(ctx context.Context) error {
	one, err := s.pool.Acquire(ctx)
	if err != nil {
		return readError("check sessions", err)
	}
	defer one.Release()
	other, err := s.pool.Acquire(ctx)
	if err != nil {
		return readError("check sessions", err)
	}
	defer other.Release()
	err = CheckSessions(ctx, one.Conn(), other.Conn())
	if pooler := (*PoolerError)(nil); errors.As(err, &pooler) {
		return pooler
	}
	return readError("check sessions", err)
}

// CheckSessions returns a *PoolerError where two connections share a session, or one has several.
// While the other is in a transaction, nobody may be given its session; nor may one that was
// another's be given to anybody before or after.
func CheckSessions(ctx context.Context, one, other *pgx.Conn) error {
	before, err := process(ctx, one)
	if err != nil {
		return err
	}
	taken, during, err := processes(ctx, one, other)
	if err != nil {
		return err
	}
	after, err := process(ctx, one)
	if err != nil {
		return err
	}
	if before == taken || before != during || before != after {
		return &PoolerError{}
	}
	return nil
}

// processes are those of both connections while the other is in a transaction.
func processes(ctx context.Context, one, other *pgx.Conn) (taken, during int32, err error) {
	if _, err := other.Exec(ctx, `begin`, pgx.QueryExecModeSimpleProtocol); err != nil {
		if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == "08P01" { // a pooler in statement mode
			return 0, 0, &PoolerError{err}
		}
		return 0, 0, err
	}
	if taken, err = process(ctx, other); err == nil {
		during, err = process(ctx, one)
	}
	_, ended := other.Exec(ctx, `rollback`, pgx.QueryExecModeSimpleProtocol)
	return taken, during, errors.Join(err, ended)
}

// process is the one that serves a connection at this moment.
func process(ctx context.Context, conn *pgx.Conn) (pid int32, err error) {
	err = conn.QueryRow(ctx, `select pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return pid, err
}
