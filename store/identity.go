package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Attend writes an id that this worker made up into the database, and returns the database's own
// id. Who reads the first somewhere else can tell whether its writer works with this database: see
// Attended.
func (s *Store) Attend(ctx context.Context, id [16]byte) (database [16]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var own uuid.UUID
	err = s.pool.QueryRow(ctx, `select attend($1, $2, $3)`, uuid.UUID(id), s.process, s.owner).Scan(&own)
	return own, readError("attend", err)
}

// Attended are those of the ids that a worker wrote into this database.
func (s *Store) Attended(ctx context.Context, ids [][16]byte) (known [][16]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	asked := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		asked[i] = id
	}
	rows, err := s.pool.Query(ctx, `select id from attendances where id = any($1)`, asked)
	if err != nil {
		return nil, readError("read attendances", err)
	}
	known, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([16]byte, error) {
		var id uuid.UUID
		return id, row.Scan(&id)
	})
	return known, readError("read attendances", err)
}

// Summon has all workers of this database attend soon, where they listen.
func (s *Store) Summon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.pool.Exec(ctx, `select pg_notify($1, '')`, s.schema.Channel(summonChannel))
	return readError("summon", err)
}
