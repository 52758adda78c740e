package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// LetterPlace says which command a dead letter is of.
type LetterPlace struct {
	Topic     string
	Partition int32
	Offset    int64
}

// LetterState is what the database knows of a dead letter.
type LetterState struct {
	Known   bool
	State   string
	Retries int // how often it was applied again, and refused again
}

const letterStatesSQL = `
select d.source is not null, coalesce(d.state, ''), 0
from unnest($1::text[], $2::int[], $3::bigint[]) with ordinality k (topic, partition, command_offset, n)
left join positions p on p.topic = k.topic and p.partition = k.partition
left join lateral (select * from dead_letters where source = p.source and command_offset = k.command_offset order by row_no desc limit 1) d on true
order by n`

// LetterStates reads the states of dead letters, in the order of the places.
func (s *Store) LetterStates(ctx context.Context, places []LetterPlace) ([]LetterState, error) {
	topics, partitions, offsets := make([]string, len(places)), make([]int32, len(places)), make([]int64, len(places))
	for i, p := range places {
		topics[i], partitions[i], offsets[i] = p.Topic, p.Partition, p.Offset
	}
	rows, err := s.pool.Query(ctx, letterStatesSQL, topics, partitions, offsets)
	if err != nil {
		return nil, readError("read dead letters", err)
	}
	states, err := pgx.CollectRows(rows, pgx.RowToStructByPos[LetterState])
	return states, readError("read dead letters", err)
}
