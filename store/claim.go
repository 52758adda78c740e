package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	defer s.caches.forget()
	claims := make([]worker.Claim, len(requests))
	is := func(i int, h *foreignLock) bool {
		return h.of == worker.TopicPartition{Topic: requests[i].Topic, Partition: requests[i].Partition}
	}
	return claims, s.aroundLocked(ctx, "claim partitions", len(requests), is, func(ctx context.Context, conn *pgxpool.Conn, free []int) error {
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
}

func claimAll(ctx context.Context, conn *pgxpool.Conn, requests []worker.ClaimRequest, owner string) ([]worker.Claim, error) {
	args, tokens := claimArgs(requests, owner)
	rows, _ := conn.Query(ctx, claimSQL, args...) // its error is that of the rows, too
	claims, found := make([]worker.Claim, len(requests)), 0
	var n int
	var c worker.Claim
	_, err := pgx.ForEachRow(rows, []any{
		&n, &c.Source.ID, &c.Source.TopicID, &c.NextOffset, &c.NextRow, &c.Published, &c.Epoch, &c.Attempts, &c.CrashedBelow,
		&c.LeaderEpoch, &c.Replay.Below, &c.Replay.Times,
	}, func() error {
		c.Source.Topic, c.Source.Partition, c.Token = requests[n-1].Topic, requests[n-1].Partition, tokens[n-1]
		claims[n-1] = c
		found++
		return nil
	})
	if err == nil && found != len(requests) {
		err = fmt.Errorf("%w: %d of %d partitions claimed", worker.ErrConflict, found, len(requests))
	}
	return claims, err
}

// EnsurePositions gives a position to partitions that have none, so that a new topic begins in all
// of them where it was asked to, whichever worker claims them later.
func (s *Store) EnsurePositions(ctx context.Context, requests []worker.ClaimRequest) error {
	args, _ := claimArgs(requests, s.owner)
	return s.exec(ctx, "ensure positions", `select ensure_positions($1, $2, $3, $4, $5)`, args[:5]...)
}

func claimArgs(requests []worker.ClaimRequest, owner string) (args []any, tokens []worker.Token) {
	n := len(requests)
	topics, ids, partitions := make([]string, n), make([][16]byte, n), make([]int32, n)
	starts, topicStarts := make([]int64, n), make([]int64, n) // a partition that was added begins at 0, wherever its log does
	tokens = make([]worker.Token, n)
	for i, r := range requests {
		topics[i], ids[i], partitions[i] = r.Topic, r.TopicID, r.Partition
		topicStarts[i] = r.TopicStart
		tokens[i] = worker.Token(uuid.New())
	}
	return []any{topics, ids, partitions, starts, topicStarts, tokens, owner}, tokens
}
