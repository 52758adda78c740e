package store

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

// Found is what is known by a text: commands with that id, or of that correlation.
type Found struct {
	Commands []FoundCommand `json:"commands"`
	More     bool           `json:"more,omitempty"` // there may be others
	// Since is how far back those were looked for that have no index yet. Older days have one.
	Since time.Time `json:"looked_since"`
}

// FoundCommand is a command by its id or its correlation.
type FoundCommand struct {
	ID            RecordID   `json:"position"`
	CommandID     string     `json:"id,omitempty"`
	CorrelationID string     `json:"correlation,omitempty"`
	Time          *time.Time `json:"time,omitempty"` // of its record
	Type          string     `json:"type,omitempty"`
	Outcome       string     `json:"outcome,omitempty"` // empty: the database does not know it
	Reason        string     `json:"reason,omitempty"`  // of a refusal

	First FirstEvent `json:"-"` // of one that is known by its events
}

// The outcomes of commands.
const (
	CommandApplied = "applied"
	CommandRefused = "refused"
	CommandWaits   = "waits" // behind a held key
)

// Days have indexes by id once they are over, which outbox_index_day makes. Of the others, rows
// since a time are read, from the last transaction before it on.
const (
	indexedDaysSQL = `
select coalesce(array_agg(d), '{}') from outbox_days() d
where to_regclass(format('%I.%I', current_schema(), 'outbox_' || to_char(d, 'YYYYMMDD') || '_by_correlation')) is not null`

	rowsSinceSQL = `
select p.source, coalesce((
    select t.to_row from generate_series(0, p.replays) r cross join lateral (
        select * from transactions t where t.source = p.source and t.replays = r and t.to_offset > t.from_offset and t.committed_at < $1
        order by t.from_offset desc limit 1) t
    order by t.replays desc limit 1), 0)
from positions p`

	// Of the rows about a command, the first tells what became of it.
	foundSQL = `
select p.topic, p.partition, x.command_offset, coalesce(x.command_id, ''), coalesce(x.correlation_id, ''), x.command_time,
    x.outcome, x.reason, x.type, x.headers, x.event, x.value, x.note
from (select distinct on (source, command_offset) * from (`
	foundOrderSQL = `) i order by source, command_offset, rank) x
join positions p using (source) order by x.command_time nulls first, p.topic, p.partition, x.command_offset limit $2 + 1`

	findParkedSQL = foundSQL + `
select coalesce(command_source, source) as source, command_offset, command_id, correlation_id, command_time,
    case state when 'retried' then 'applied' else 'refused' end as outcome, case state when 'retried' then '' else reason end as reason,
    coalesce(type, '') as type, null::bytea as headers, '' as event, null::bytea as value, null as note, -extract(epoch from recorded_at) as rank
from dead_letters where command_id = $1 or correlation_id = $1
union all
select command_source, command_offset, command_id, correlation_id, command_time, 'waits', '', '', headers, '', null, null, '-infinity'
from held_commands where command_id = $1 or correlation_id = $1` + foundOrderSQL

	foundRowSQL = ` coalesce(command_source, source) as source, command_offset, command_id, correlation_id, command_time,
    case when type = '' or type like 'dlq-%' then 'refused' else 'applied' end as outcome, '' as reason, '' as type, null::bytea as headers,
    case when type like 'dlq-%' then '' else type end as event, value, note, event_no + case when type = '' or type like 'dlq-%' then 2147483648 else 0 end as rank
    from outbox`

	findOverSQL = foundSQL + `
select` + foundRowSQL + `
where day = any($3::date[]) and (command_id = $1 or correlation_id = $1) limit $2 * 10` + foundOrderSQL

	findSinceSQL = foundSQL + `
select o.* from unnest($3::int[], $4::bigint[]) s (source, row_no) cross join lateral (
    select` + foundRowSQL + `
    where source = s.source and row_no >= s.row_no and day >= ($5::timestamptz at time zone 'utc')::date and day <> all($6::date[])
        and (command_id = $1 or correlation_id = $1) limit $2 * 10) o` + foundOrderSQL
)

// FindCommands finds commands by their own id (ce_id), or their correlation. Events of today have
// no index yet: they are read since a time.
func (s *Store) FindCommands(ctx context.Context, text string, since time.Time, limit int) (*Found, error) {
	found := &Found{Since: since.UTC(), Commands: []FoundCommand{}}
	var indexed []time.Time
	if err := s.pool.QueryRow(ctx, indexedDaysSQL).Scan(&indexed); err != nil {
		return nil, ShowError("find commands", err)
	}
	var sources []int32
	var starts []int64
	var source int32
	var start int64
	rows, _ := s.pool.Query(ctx, rowsSinceSQL, since) // its error is that of the rows, too
	_, err := pgx.ForEachRow(rows, []any{&source, &start}, func() error {
		sources, starts = append(sources, source), append(starts, start)
		return nil
	})
	if err == nil {
		err = s.addFound(ctx, found, limit, findParkedSQL, text, limit)
	}
	if err == nil {
		err = s.addFound(ctx, found, limit, findOverSQL, text, limit, indexed)
	}
	if err == nil {
		err = s.addFound(ctx, found, limit, findSinceSQL, text, limit, sources, starts, since, indexed)
	}
	return found, ShowError("find commands", err)
}

func (s *Store) addFound(ctx context.Context, found *Found, limit int, query string, args ...any) error {
	rows, _ := s.pool.Query(ctx, query, args...) // as above
	commands, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c FoundCommand, err error) {
		var ms *int64
		var headers []byte
		err = row.Scan(&c.ID.Topic, &c.ID.Partition, &c.ID.Offset, &c.CommandID, &c.CorrelationID, &ms,
			&c.Outcome, &c.Reason, &c.Type, &headers, &c.First.Type, &c.First.Data, &c.First.Note)
		if decoded, wrong := outbox.DecodeHeaders(headers); wrong == nil && headers != nil {
			c.Type = (&worker.ParkedRecord{Headers: decoded}).Command(s.service.TypePrefix).Type
		}
		if ms != nil {
			at := time.UnixMilli(*ms).UTC()
			c.Time = &at
		}
		return c, err
	})
	for _, c := range commands {
		switch {
		case slices.ContainsFunc(found.Commands, func(known FoundCommand) bool { return known.ID == c.ID }):
		case len(found.Commands) == limit:
			found.More = true
		default:
			found.Commands = append(found.Commands, c)
		}
	}
	return err
}

const nextCommandSQL = `select topic, partition, next_offset from positions where topic || '.' || partition = $1 and retired_at is null limit 1`

// NextCommand is the position of the first command of a partition <topic>.<partition> that is not
// applied. It is false where the database knows no such partition.
func (s *Store) NextCommand(ctx context.Context, partition string) (id RecordID, ok bool, err error) {
	rows, _ := s.pool.Query(ctx, nextCommandSQL, partition) // its error is that of the rows, too
	_, err = pgx.ForEachRow(rows, []any{&id.Topic, &id.Partition, &id.Offset}, func() error { return nil })
	return id, id.Topic != "", ShowError("find the next command of a partition", err)
}

// EventCommand is the position of the command of an event whose ce_id this is. It is false where
// the text is no such id, or of a topic that the database does not know.
func (s *Store) EventCommand(ctx context.Context, id string) (position RecordID, ok bool, err error) {
	parts := strings.Split(id, ".")
	if len(parts) != 4 {
		return position, false, nil
	}
	topic, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	partition, err2 := strconv.ParseInt(parts[1], 10, 32)
	offset, err3 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || len(topic) != 16 {
		return position, false, nil //nolint:nilerr // it is something else
	}
	position = RecordID{Partition: int32(partition), Offset: offset}
	rows, _ := s.pool.Query(ctx, `select topic from positions where topic_id = $1 and partition = $2`, [16]byte(topic), partition) // as above
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		return position, false, ShowError("find a command by its event", err)
	}
	position.Topic = names[0]
	return position, true, nil
}
