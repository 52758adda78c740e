package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// LetterState is what the database knows of a dead letter.
type LetterState struct {
	Known   bool
	State   string
	Retries int // how often it was applied again, and refused again
}

const letterStatesSQL = `
select d.source is not null, coalesce(d.state, ''), coalesce(d.retries, 0)
from unnest($1::text[], $2::int[], $3::bigint[]) with ordinality k (topic, partition, command_offset, n)
left join lateral (
    select d.* from positions p join dead_letters d on coalesce(d.command_source, d.source) = p.source and d.command_offset = k.command_offset
    where p.topic = k.topic and p.partition = k.partition
    order by d.recorded_at desc, d.row_no desc limit 1) d on true
order by n`

// LetterStates reads the states of dead letters, in the order of the IDs.
func (s *Store) LetterStates(ctx context.Context, ids []RecordID) ([]LetterState, error) {
	topics, partitions, offsets := idArrays(ids)
	return list(ctx, s, "read dead letters", pgx.RowToStructByPos[LetterState], letterStatesSQL, topics, partitions, offsets)
}
