package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// WriteNonce writes an id that this worker made up into the database, and returns the database's
// own id. Who reads the first somewhere else can tell whether its writer works with this database:
// see KnownNonces.
func (s *Store) WriteNonce(ctx context.Context, id [16]byte) (database [16]byte, err error) {
	err = s.one(ctx, "write nonce", []any{&database}, `select write_nonce($1, $2, $3, $4)`, id, s.process, s.owner, s.version)
	return database, err
}

// KnownNonces are those of the ids that a worker wrote into this database.
func (s *Store) KnownNonces(ctx context.Context, ids [][16]byte) (known [][16]byte, err error) {
	return list(ctx, s, "read nonces", pgx.RowTo[[16]byte], `select id from worker_nonces where id = any($1)`, ids)
}

// AskForNonces has all workers of this database write a new nonce soon, where they listen.
func (s *Store) AskForNonces(ctx context.Context) error {
	return s.exec(ctx, "ask for nonces", `select pg_notify($1, '')`, s.schema.Channel(nonceChannel))
}
