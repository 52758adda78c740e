package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

// KeyEvent is an event in the history of a key.
type KeyEvent struct {
	At            Ref
	Number        int32 // of the event within its command
	Sequence      int64
	Type          string
	Data, Note    []byte
	Position      RecordID // of the command, as what follows
	Own           bool     // the command came by the row's own partition
	Time          *int64   // of its record, in Unix milliseconds
	CommandID     string
	CorrelationID string
	Committed     *time.Time // nil: that was not kept, or not asked for
}

// First reports whether it is the first event of its command, where older is the event before it.
func (e *KeyEvent) First(older *KeyEvent) bool {
	return older == nil || older.Position != e.Position || older.At.Source != e.At.Source || older.At.Row+1 != e.At.Row
}

const (
	keyEventColumns = `o.source, o.row_no, o.day - date '2000-01-01', o.event_no, o.sequence, o.type, o.value, o.note, p.topic, p.partition, o.command_offset,
    o.command_source is null, o.command_time, coalesce(o.command_id, ''), coalesce(o.correlation_id, '')`

	keyEventsSQL = `
with recursive thread as (
    (select o.*, 1 as step from outbox o where source = $1 and row_no = $2 order by day desc limit 1)
    union all
    select n.*, t.step + 1 from thread t cross join lateral (
        select o.* from outbox o
        where o.source = coalesce(t.after_source, t.source) and o.row_no = coalesce(t.after_row, t.row_no - t.key_back) and o.day <= t.day + 1
        order by o.day desc limit 1) n
    where t.step < $3)
select ` + keyEventColumns + `, t.committed_at, coalesce(o.after_source, o.source, 0), coalesce(o.after_row, o.row_no - o.key_back, -1)
from thread o` + eventTransactionJoins + ` order by o.step`

	keyEventsAtSQL = `
select ` + keyEventColumns + `
from unnest($1::int[], $2::bigint[], $3::int[]) with ordinality k (source, row_no, day, n)
join outbox o on o.source = k.source and o.row_no = k.row_no and o.day = date '2000-01-01' + k.day
join positions p on p.source = coalesce(o.command_source, o.source) order by k.n`
)

// keyEventsAtOnce is how many events are read at once.
const keyEventsAtOnce = 1000

// scan reads keyEventColumns, and more behind them.
func (e *KeyEvent) scan(row pgx.CollectableRow, more ...any) error {
	source, number, day := e.At.Scan()
	return row.Scan(append([]any{
		source, number, day, &e.Number, &e.Sequence, &e.Type, &e.Data, &e.Note, &e.Position.Topic, &e.Position.Partition, &e.Position.Offset, &e.Own, &e.Time,
		&e.CommandID, &e.CorrelationID,
	}, more...)...)
}

// KeyEvents reads the events of a key in a transaction, from its last one backwards. It calls take
// with some at a time, newest first, as long as that wants more and older ones are kept.
func KeyEvents(ctx context.Context, tx pgx.Tx, last Ref, take func([]KeyEvent) (more bool, err error)) error {
	source, number := last.Source, last.Row
	for number >= 0 && source > 0 {
		rows, _ := tx.Query(ctx, keyEventsSQL, source, number, keyEventsAtOnce) // its error is that of the rows, too
		source = 0
		events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e KeyEvent, err error) {
			return e, e.scan(row, &e.Committed, &source, &number)
		})
		if err != nil || len(events) == 0 {
			return err
		}
		if more, err := take(events); err != nil || !more {
			return err
		}
	}
	return nil
}

// EachKeyEvent reads events that KeyEvents gave again, and calls take with each, in order.
func (s *Store) EachKeyEvent(ctx context.Context, events []Ref, take func(*KeyEvent) error) error {
	for some := range slices.Chunk(events, keyEventsAtOnce) {
		var sources, days []int32
		var numbers []int64
		for _, at := range some {
			sources, numbers, days = append(sources, at.Source), append(numbers, at.Row), append(days, at.Day())
		}
		read, err := list(ctx, s, "read events", func(row pgx.CollectableRow) (e KeyEvent, err error) { return e, e.scan(row) }, keyEventsAtSQL, sources, numbers, days)
		if err == nil && len(read) < len(some) {
			err = errors.New("events were dropped while they were read, as too old (--outbox-retention); try again")
		}
		if err != nil {
			return err
		}
		for i := range read {
			if err := take(&read[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// KeyRefusal is a dead letter about a key, for who rebuilds its history.
type KeyRefusal struct {
	Source        int32 // whose row it is
	Row           int64
	Position      RecordID // of the command, as what follows
	Own           bool
	Time          *int64
	CommandID     string
	CorrelationID string
	Type          string
	Data          []byte
	Reason        string
	Message       string
	Committed     time.Time // when its transaction began, where more is not kept

	EventType string // of the event that tells the refusal; empty: there is none, or it is no longer kept
	EventData []byte
}

// A dead letter was recorded when its transaction began, and events have the time at which theirs
// committed: by that, both are before or after another time.
const keyRefusalsSQL = `
select o.source, o.row_no, p.topic, p.partition, o.command_offset, o.command_source is null, o.command_time, coalesce(o.command_id, ''), coalesce(o.correlation_id, ''),
    o.reason, o.message, coalesce(t.committed_at, o.recorded_at), o.value, o.headers, coalesce(e.type, ''), e.value
from (
    select d.*, (d.recorded_at at time zone 'UTC')::date as day from dead_letters d
    where d.batch_last is null and d.reason = any($1) and (d.key = $2 or d.key is null and d.record_key = convert_to($2, 'UTF8'))
        and ($3::timestamptz is null or d.recorded_at >= $3::timestamptz - interval '1 hour') and ($4::timestamptz is null or d.recorded_at <= $4)) o
left join lateral (
    select e.type, e.value from outbox e
    where e.source = o.source and e.row_no = o.row_no + 1 and e.command_offset = o.command_offset and e.command_source is not distinct from o.command_source
        and e.type <> '' and e.type not like 'dlq-%' and e.sequence is null
    order by e.day desc limit 1) e on true` + eventTransactionJoins + `
where ($3::timestamptz is null or coalesce(t.committed_at, o.recorded_at) >= $3) and ($4::timestamptz is null or coalesce(t.committed_at, o.recorded_at) <= $4)
order by coalesce(t.committed_at, o.recorded_at), o.source, o.row_no limit $5`

// KeyRefusals reads the dead letters with one of the reasons that are about a key, oldest first, so
// many at most.
func (s *Store) KeyRefusals(ctx context.Context, tx pgx.Tx, reasons []string, key string, since, until *time.Time, limit int) ([]KeyRefusal, error) {
	rows, _ := tx.Query(ctx, keyRefusalsSQL, reasons, key, since, until, limit) // as above
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r KeyRefusal, err error) {
		var value, headers []byte
		err = row.Scan(&r.Source, &r.Row, &r.Position.Topic, &r.Position.Partition, &r.Position.Offset, &r.Own, &r.Time, &r.CommandID, &r.CorrelationID,
			&r.Reason, &r.Message, &r.Committed, &value, &headers, &r.EventType, &r.EventData)
		if err != nil {
			return r, err
		}
		decoded, err := outbox.DecodeHeaders(headers)
		if err != nil {
			return r, err
		}
		command := (&worker.ParkedRecord{Value: value, Headers: decoded}).Command(s.service.TypePrefix)
		r.Type, r.Data = command.Type, command.Data
		return r, nil
	})
}
