package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

const positionRecordsSQL = `select source, topic, topic_id, partition, token, next_offset, next_row, published_row, retired_at is not null from positions`

// PositionRecords reads all positions, whichever worker owns them.
func (s *Store) PositionRecords(ctx context.Context) ([]worker.PositionRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, positionRecordsSQL)
	if err != nil {
		return nil, readError("read positions", err)
	}
	positions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (at worker.PositionRecord, err error) {
		var id, token uuid.UUID
		err = row.Scan(&at.Source.ID, &at.Source.Topic, &id, &at.Source.Partition, &token, &at.NextOffset, &at.NextRow, &at.Published, &at.Retired)
		at.Source.TopicID, at.Token = id, worker.Token(token)
		return at, err
	})
	return positions, readError("read positions", err)
}

const claimOrphansSQL = `select source, topic, topic_id, partition, next_row, published_row, epoch, token from claim_orphans($1, $2, $3, $4)`

// ClaimOrphans claims sources that nobody publishes any more, unless somebody claimed them since
// they were seen.
func (s *Store) ClaimOrphans(ctx context.Context, positions []worker.PositionRecord) ([]worker.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sources, seen, tokens := make([]int32, len(positions)), make([]uuid.UUID, len(positions)), make([]uuid.UUID, len(positions))
	for i, at := range positions {
		sources[i], seen[i], tokens[i] = at.Source.ID, uuid.UUID(at.Token), uuid.New()
	}
	rows, err := s.pool.Query(ctx, claimOrphansSQL, sources, seen, tokens, s.owner)
	if err != nil {
		return nil, readError("claim orphans", err)
	}
	claims, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c worker.Claim, err error) {
		var id, token uuid.UUID
		var source outbox.Source
		err = row.Scan(&source.ID, &source.Topic, &id, &source.Partition, &c.NextRow, &c.Published, &c.Epoch, &token)
		source.TopicID = id
		c.Source, c.Token = source, worker.Token(token)
		return c, err
	})
	return claims, readError("claim orphans", err)
}
