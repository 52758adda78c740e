package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// PositionView is a position, for people.
type PositionView struct {
	Source        int32
	Topic         string
	Partition     int32
	TopicID       [16]byte
	NextOffset    int64
	LeaderEpoch   int32
	NextRow       int64
	PublishedRow  int64
	PublishedUpTo int64 // the offset of the first command with rows to publish; NextOffset where there is none
	Epoch         int64
	Owner         string
	Retired       bool
	Trouble       string // what keeps its records from coming, as its owner says; empty: nothing does
	TroubleSince  *time.Time
}

// Position is the part that is compared with the log.
func (v *PositionView) Position() worker.Position {
	return worker.Position{TopicID: v.TopicID, Offset: v.NextOffset, LeaderEpoch: v.LeaderEpoch}
}

const positionsSQL = `
select p.source, p.topic, p.partition, p.topic_id, p.next_offset, p.leader_epoch, p.next_row, p.published_row,
    case when p.published_row = p.next_row then p.next_offset
         else coalesce((select o.command_offset from outbox o where o.source = p.source and o.row_no = p.published_row), p.next_offset) end,
    p.epoch, coalesce(p.owner, ''), p.retired_at is not null, coalesce(f.why, ''), f.since
from positions p left join fetch_troubles f on f.source = p.source and f.token = p.token order by p.topic, p.partition, p.source`

// Positions reads all positions, for people.
func (s *Store) Positions(ctx context.Context) ([]PositionView, error) {
	return list(ctx, s, "read positions", pgx.RowToStructByPos[PositionView], positionsSQL)
}

// OffsetDecision is what an operator wants of a position.
type OffsetDecision struct {
	Action  string   // accept or reset
	Source  int32    // of the position
	Seen    *int64   // where it must be; nil: anywhere, for one that moves
	TopicID [16]byte // of the topic as it is: another than the position's makes a new position
	Resume  *int64   // the offset to resume from; nil: the partition is gone
	Why     string
}

// DecideOffsets carries decisions out, all or none, and returns where the positions were, by
// source. The owners are fenced, claim again, and go on from there.
func (s *Store) DecideOffsets(ctx context.Context, decisions []OffsetDecision) (from map[int32]int64, err error) {
	inOrder := slices.SortedFunc(slices.Values(decisions), func(a, b OffsetDecision) int { return int(a.Source) - int(b.Source) }) // as all lock them
	from = make(map[int32]int64, len(decisions))
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, d := range inOrder {
			at, err := decideOffset(ctx, tx, d)
			if err != nil {
				return err
			}
			from[d.Source] = at
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	return from, nil
}

func decideOffset(ctx context.Context, tx pgx.Tx, d OffsetDecision) (from int64, err error) {
	err = tx.QueryRow(ctx, `select next_offset from decide_position($1, $2, $3, $4, $5, $6)`, d.Source, d.Seen, d.TopicID, d.Resume, d.Action, d.Why).Scan(&from)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fmt.Errorf("position %d is not where it was any more: look again", d.Source)
	}
	return from, err
}

// DecisionView is what an operator decided, for people.
type DecisionView struct {
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Action    string    `json:"action"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	From      int64     `json:"from"`
	To        *int64    `json:"to,omitempty"`
	Why       string    `json:"why"`
}

// Decisions reads what operators decided, the last first.
func (s *Store) Decisions(ctx context.Context) ([]DecisionView, error) {
	return list(ctx, s, "read decisions", pgx.RowToStructByPos[DecisionView], `
		select decided_at, decided_by, action, topic, partition, from_offset, to_offset, why from offset_decisions order by id desc`)
}
