package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

const positionRecordsSQL = `select source, topic, topic_id, partition, token, next_offset, next_row, published_row, retired_at is not null from positions`

// PositionRecords reads all positions, whichever worker owns them.
func (s *Store) PositionRecords(ctx context.Context) ([]worker.PositionRecord, error) {
	return list(ctx, s, "read positions", func(row pgx.CollectableRow) (at worker.PositionRecord, err error) {
		err = row.Scan(&at.Source.ID, &at.Source.Topic, &at.Source.TopicID, &at.Source.Partition, &at.Token, &at.NextOffset, &at.NextRow, &at.Published, &at.Retired)
		return at, err
	}, positionRecordsSQL)
}

const claimOrphansSQL = `select source, topic, topic_id, partition, next_row, published_row, epoch, token from claim_orphans($1, $2, $3, $4)`

// ClaimOrphans claims sources that nobody publishes any more, unless somebody claimed them since
// they were seen.
func (s *Store) ClaimOrphans(ctx context.Context, positions []worker.PositionRecord) ([]worker.Claim, error) {
	sources, seen, tokens := make([]int32, len(positions)), make([]worker.Token, len(positions)), make([]uuid.UUID, len(positions))
	for i, at := range positions {
		sources[i], seen[i], tokens[i] = at.Source.ID, at.Token, uuid.New()
	}
	return list(ctx, s, "claim orphans", func(row pgx.CollectableRow) (c worker.Claim, err error) {
		err = row.Scan(&c.Source.ID, &c.Source.Topic, &c.Source.TopicID, &c.Source.Partition, &c.NextRow, &c.Published, &c.Epoch, &c.Token)
		return c, err
	}, claimOrphansSQL, sources, seen, tokens, s.owner)
}
