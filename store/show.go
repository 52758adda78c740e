package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// ErrUnknown is returned for what the database has never heard of.
var ErrUnknown = errors.New("unknown")

// Query reads the tables of a service. Its rows have to be closed, as those of pgx.
func (s *Store) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return s.pool.Query(ctx, sql, args...)
}

// ShowError says what an error of Query, or of its rows, means: ErrUnknown where there is no row.
func ShowError(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrUnknown
	}
	return readError(doing, err)
}
