package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/outbox"
	"allocation/worker"
)

const claimSQL = `
select n, (c).source, (c).topic_id, (c).next_offset, (c).next_row, (c).published_row, (c).epoch, (c).attempts,
    case when (c).probes > 0 and (c).probe_from = (c).next_offset then (c).probe_to else 0 end,
    (c).leader_epoch, (c).replay_below, (c).replays
from claim_positions($1, $2, $3, $4, $5, $6, $7) t (n, c)`

// Claim makes this worker the owner of partitions: from now on, nobody who claimed them before
// commits anything for them. It waits for transactions in flight on them. Claims come in the order
// of the requests. Where somebody outside of the service has positions locked, the others are
// claimed, and the error is a *worker.LockedError. Another error is worker.ErrOutage,
// worker.ErrConflict or the context's; it can always be called again.
func (s *Store) Claim(ctx context.Context, requests []worker.ClaimRequest) ([]worker.Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	defer s.caches.forget()
	claims := make([]worker.Claim, len(requests))
	is := func(i int, h *foreignLock) bool {
		return h.of == worker.TopicPartition{Topic: requests[i].Topic, Partition: requests[i].Partition}
	}
	err := s.aroundLocked(ctx, len(requests), is, func(conn *pgxpool.Conn, free []int) error {
		asked := make([]worker.ClaimRequest, len(free))
		for n, i := range free {
			asked[n] = requests[i]
		}
		made, err := claimAll(ctx, conn, asked, s.owner)
		for n := range made {
			claims[free[n]] = made[n]
		}
		return err
	})
	return claims, unlessLocked("claim partitions", err)
}

func claimAll(ctx context.Context, conn *pgxpool.Conn, requests []worker.ClaimRequest, owner string) ([]worker.Claim, error) {
	args, tokens := claimArgs(requests, owner)
	rows, err := conn.Query(ctx, claimSQL, args...)
	if err != nil {
		return nil, err
	}
	claims := make([]worker.Claim, len(requests))
	if err := scanClaims(rows, requests, tokens, claims); err != nil {
		return nil, err
	}
	return claims, nil
}

// EnsurePositions gives a position to partitions that have none, so that a new topic begins in all
// of them where it was asked to, whichever worker claims them later.
func (s *Store) EnsurePositions(ctx context.Context, requests []worker.ClaimRequest) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	args, _ := claimArgs(requests, s.owner)
	_, err := s.pool.Exec(ctx, `select ensure_positions($1, $2, $3, $4, $5)`, args[:5]...)
	return readError("ensure positions", err)
}

func claimArgs(requests []worker.ClaimRequest, owner string) (args []any, tokens []uuid.UUID) {
	n := len(requests)
	topics, ids, partitions := make([]string, n), make([]uuid.UUID, n), make([]int32, n)
	starts, topicStarts := make([]int64, n), make([]int64, n) // a partition that was added begins at 0, wherever its log does
	tokens = make([]uuid.UUID, n)
	for i, r := range requests {
		topics[i], ids[i], partitions[i] = r.Topic, r.TopicID, r.Partition
		topicStarts[i] = r.TopicStart
		tokens[i] = uuid.New()
	}
	return []any{topics, ids, partitions, starts, topicStarts, tokens, owner}, tokens
}

func scanClaims(rows pgx.Rows, requests []worker.ClaimRequest, tokens []uuid.UUID, claims []worker.Claim) error {
	defer rows.Close()
	found := 0
	for rows.Next() {
		var n int
		var id uuid.UUID
		var c worker.Claim
		if err := rows.Scan(&n, &c.Source.ID, &id, &c.NextOffset, &c.NextRow, &c.Published, &c.Epoch, &c.Attempts, &c.CrashedBelow,
			&c.LeaderEpoch, &c.Replay.Below, &c.Replay.Times); err != nil {
			return err
		}
		r := requests[n-1]
		c.Source = outbox.Source{ID: c.Source.ID, Topic: r.Topic, TopicID: id, Partition: r.Partition}
		c.Token = worker.Token(tokens[n-1])
		claims[n-1] = c
		found++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if found != len(requests) {
		return fmt.Errorf("%w: %d of %d partitions claimed", worker.ErrConflict, found, len(requests))
	}
	return nil
}
