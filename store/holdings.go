package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

const holdingsSQL = `select source, topic, topic_id, partition, token, next_offset, next_row, published_row, retired_at is not null from positions`

// Holdings reads all positions, whichever worker owns them.
func (s *Store) Holdings(ctx context.Context) ([]worker.Holding, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, holdingsSQL)
	if err != nil {
		return nil, readError("read positions", err)
	}
	holdings, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h worker.Holding, err error) {
		var id, token uuid.UUID
		err = row.Scan(&h.Source.ID, &h.Source.Topic, &id, &h.Source.Partition, &token, &h.NextOffset, &h.NextRow, &h.Published, &h.Retired)
		h.Source.TopicID, h.Token = id, worker.Token(token)
		return h, err
	})
	return holdings, readError("read positions", err)
}

const claimOrphansSQL = `select source, topic, topic_id, partition, next_row, published_row, epoch, token from adopt_positions($1, $2, $3, $4)`

// ClaimOrphans claims sources that nobody publishes any more, unless somebody claimed them since
// they were seen.
func (s *Store) ClaimOrphans(ctx context.Context, holdings []worker.Holding) ([]worker.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sources, seen, tokens := make([]int32, len(holdings)), make([]uuid.UUID, len(holdings)), make([]uuid.UUID, len(holdings))
	for i, h := range holdings {
		sources[i], seen[i], tokens[i] = h.Source.ID, uuid.UUID(h.Token), uuid.New()
	}
	rows, err := s.pool.Query(ctx, claimOrphansSQL, sources, seen, tokens, s.owner)
	if err != nil {
		return nil, readError("adopt sources", err)
	}
	claims, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c worker.Claim, err error) {
		var id, token uuid.UUID
		var source outbox.Source
		err = row.Scan(&source.ID, &source.Topic, &id, &source.Partition, &c.NextRow, &c.Published, &c.Epoch, &token)
		source.TopicID = id
		c.Source, c.Token = source, worker.Token(token)
		return c, err
	})
	return claims, readError("adopt sources", err)
}
