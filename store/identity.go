package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// WriteNonce writes an id that this worker made up into the database, and returns the database's
// own id. Who reads the first somewhere else can tell whether its writer works with this database:
// see KnownNonces.
func (s *Store) WriteNonce(ctx context.Context, id [16]byte) (database [16]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var own uuid.UUID
	err = s.pool.QueryRow(ctx, `select write_nonce($1, $2, $3)`, uuid.UUID(id), s.process, s.owner).Scan(&own)
	return own, readError("write nonce", err)
}

// KnownNonces are those of the ids that a worker wrote into this database.
func (s *Store) KnownNonces(ctx context.Context, ids [][16]byte) (known [][16]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	asked := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		asked[i] = id
	}
	rows, err := s.pool.Query(ctx, `select id from worker_nonces where id = any($1)`, asked)
	if err != nil {
		return nil, readError("read nonces", err)
	}
	known, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([16]byte, error) {
		var id uuid.UUID
		return id, row.Scan(&id)
	})
	return known, readError("read nonces", err)
}

// AskForNonces has all workers of this database write a new nonce soon, where they listen.
func (s *Store) AskForNonces(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.pool.Exec(ctx, `select pg_notify($1, '')`, s.schema.Channel(nonceChannel))
	return readError("ask for nonces", err)
}
