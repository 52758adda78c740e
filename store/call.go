package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// exec is a call of one statement.
func (s *Store) exec(ctx context.Context, doing, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.pool.Exec(ctx, sql, args...)
	return readError(doing, err)
}

// one reads a row into variables.
func (s *Store) one(ctx context.Context, doing string, into []any, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return readError(doing, s.pool.QueryRow(ctx, sql, args...).Scan(into...))
}

// list reads rows.
func list[T any](ctx context.Context, s *Store, doing string, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, _ := s.pool.Query(ctx, sql, args...) // its error is that of the rows, too
	found, err := pgx.CollectRows(rows, scan)
	return found, readError(doing, err)
}

// each reads rows into variables, one after the other.
func (s *Store) each(ctx context.Context, doing string, into []any, do func() error, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, _ := s.pool.Query(ctx, sql, args...) // as above
	_, err := pgx.ForEachRow(rows, into, do)
	return readError(doing, err)
}
