package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// EventView is an event, for people.
type EventView struct {
	ID        string          `json:"id,omitempty"` // its ce_id; empty: it was only tried
	Type      string          `json:"type"`
	Sequence  int64           `json:"sequence,omitempty"`
	Key       string          `json:"key"`
	Subject   string          `json:"subject"`
	Data      json.RawMessage `json:"data"`
	Note      json.RawMessage `json:"note,omitempty"` // what the service keeps beside the data
	Cause     CauseView       `json:"command"`
	Committed *time.Time      `json:"committed,omitempty"` // nil: that was not kept
	Worker    string          `json:"worker,omitempty"`    // that committed it
	Published bool            `json:"published"`           // Kafka acknowledged it

	Effects map[string]int64 `json:"effects,omitempty"` // what else its command did, by the events' types
	Kafka   *Copies          `json:"kafka,omitempty"`   // where it is in Kafka; nil: nobody looked
}

// Copies are where an event is in Kafka: in more than one place of a topic, where it was published
// more than once.
type Copies struct {
	Found []Copy    `json:"copies"`
	Since time.Time `json:"looked_since"`  // records from before were not looked at
	ToEnd bool      `json:"looked_to_end"` // else the topics have more records than were looked at
}

// Copy is a record of Kafka.
type Copy struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Time      time.Time `json:"time"` // of the record: when it was published
}

// CauseView is the command that an event came from.
type CauseView struct {
	ID            RecordID   `json:"position"`
	Time          *time.Time `json:"time,omitempty"` // of its record
	CommandID     string     `json:"id,omitempty"`
	CorrelationID string     `json:"correlation,omitempty"`
	First         FirstEvent `json:"-"`
}

// Name is what people call the command by: its own id, else its position.
func (c *CauseView) Name() string {
	if c.CommandID != "" {
		return c.CommandID
	}
	return c.ID.String()
}

// FirstEvent is a command's first event. It tells what the command wanted.
type FirstEvent struct {
	Type string
	Data json.RawMessage
	Note json.RawMessage
}

// eventViewSQL selects what an EventView has, of outbox rows called o.
//
// The command's first event stands before the others of it, in rows next to each other. Its number
// is not 0 where an operator had the command applied again.
//
// The transaction is found by the offset among those of the claims before a decision of an operator
// to go back, and after; or by the row, where it applied what was parked.
const (
	eventViewSQL = `
select o.type, coalesce(o.sequence, 0), o.key, o.subject, o.value, o.note, p.topic, p.partition, o.command_offset, o.command_time, coalesce(o.command_id, ''),
    coalesce(o.correlation_id, ''), f.type, f.value, f.note, t.committed_at, coalesce(c.owner, ''), o.row_no < w.published_row, p.topic_id, o.event_no`
	eventTransactionJoins = `
join positions w on w.source = o.source
join positions p on p.source = coalesce(o.command_source, o.source)
left join lateral (
    select t.committed_at, t.epoch from generate_series(0, w.replays) r cross join lateral (
        select * from transactions t
        where t.source = o.source and t.replays = r and t.to_offset > t.from_offset and t.from_offset <= o.command_offset
            and t.day between o.day - 1 and o.day + 1
        order by t.from_offset desc limit 1) t
    where o.row_no >= t.from_row and o.row_no < t.to_row
    union all
    select t.committed_at, t.epoch from (
        select * from transactions t
        where t.source = o.source and t.to_offset = t.from_offset and t.from_row <= o.row_no and t.day between o.day - 1 and o.day + 1
        order by t.from_row desc limit 1) t
    where o.row_no < t.to_row
    limit 1) t on true`
	eventViewJoins = `
left join lateral (
    select f.type, f.value, f.note from outbox f
    where f.source = o.source and f.row_no between o.row_no - o.event_no % 1000000 and o.row_no and f.day = o.day
        and f.command_offset = o.command_offset and f.command_source is not distinct from o.command_source and f.type <> '' and f.type not like 'dlq-%'
    order by f.row_no limit 1) f on true` + eventTransactionJoins + `
left join claims c on c.source = o.source and c.epoch = t.epoch`
)

// scan reads eventViewSQL, and more behind it.
func (e *EventView) scan(row pgx.CollectableRow, more ...any) error {
	var ms *int64
	var first *string
	var topic [16]byte
	var number int32
	err := row.Scan(append([]any{
		&e.Type, &e.Sequence, &e.Key, &e.Subject, &e.Data, &e.Note, &e.Cause.ID.Topic, &e.Cause.ID.Partition, &e.Cause.ID.Offset, &ms, &e.Cause.CommandID,
		&e.Cause.CorrelationID, &first, &e.Cause.First.Data, &e.Cause.First.Note, &e.Committed, &e.Worker, &e.Published, &topic, &number,
	}, more...)...)
	if ms != nil {
		at := time.UnixMilli(*ms).UTC()
		e.Cause.Time = &at
	}
	if first != nil {
		e.Cause.First.Type = *first
	}
	e.ID = eventID(topic, e.Cause.ID, number)
	return err
}

// eventID is the ce_id of an event, which EventCommand reads.
func eventID(topic [16]byte, command RecordID, number int32) string {
	return fmt.Sprintf("%s.%d.%d.%d", base64.RawURLEncoding.EncodeToString(topic[:]), command.Partition, command.Offset, number)
}

func scanEventView(row pgx.CollectableRow) (e EventView, err error) { return e, e.scan(row) }

// maxHistory bounds the events of a history.
const maxHistory = 1000

// Each event knows the one that it continues. Days that were dropped end the history.
const (
	threadSQL = `
with recursive thread as (
    select o.*, 1 as step from outbox o where source = $1 and row_no = $2 and day = date '2000-01-01' + $3::int
    union all
    select o.*, t.step + 1 from thread t join outbox o on o.source = t.previous_source and o.row_no = t.previous_row and o.day = t.previous_day
    where t.step < $4)` + eventViewSQL + `, o.previous_source is not null
from thread o` + eventViewJoins + ` order by o.step desc`

	// Some events continue a thread beside their own. What else a command did stands in the rows
	// after its first event.
	alsoSQL = `
with recursive thread as (
    select o.*, 1 as step from outbox o where source = $1 and row_no = $2 and day = date '2000-01-01' + $3::int
    union all
    select o.*, t.step + 1 from thread t
    join outbox o on o.source = coalesce(t.also_source, t.previous_source) and o.row_no = coalesce(t.also_row, t.previous_row) and o.day = coalesce(t.also_day, t.previous_day)
    where t.step < $4)` + eventViewSQL + `, coalesce(o.also_source, o.previous_source) is not null, (
    select jsonb_object_agg(type, n) from (
        select e.type, count(*) as n from outbox e
        where e.source = o.source and e.row_no > o.row_no and e.row_no <= o.row_no + 1000 and e.day = o.day
            and e.command_offset = o.command_offset and e.command_source is not distinct from o.command_source and e.sequence is not null
        group by e.type) e)
from thread o` + eventViewJoins + ` order by o.step desc`

	// A key's last event is in the same source, so many rows before, or in another.
	chainSQL = `
with recursive thread as (
    (select o.*, 1 as step from outbox o where source = $1 and row_no = $2 order by day desc limit 1)
    union all
    select n.*, t.step + 1 from thread t cross join lateral (
        select o.* from outbox o
        where o.source = coalesce(t.after_source, t.source) and o.row_no = coalesce(t.after_row, t.row_no - t.key_back) and o.day <= t.day + 1 and o.day >= $3
        order by o.day desc limit 1) n
    where t.step < $4)` + eventViewSQL + `, o.sequence > 1
from thread o` + eventViewJoins + ` order by o.step desc`
)

// History gives an event and those that it continues, oldest first. It is cut where older ones are
// no longer in the database, or too many.
func (s *Store) History(ctx context.Context, last Ref) (events []EventView, cut bool, err error) {
	return s.thread(ctx, threadSQL, last.Source, last.Row, last.Day(), maxHistory)
}

// AlsoHistory is History along the second thread of events that have one. It counts what else the
// command of each did, up to a bound.
func (s *Store) AlsoHistory(ctx context.Context, last Ref) (events []EventView, cut bool, err error) {
	rows, _ := s.pool.Query(ctx, alsoSQL, last.Source, last.Row, last.Day(), maxHistory) // its error is that of the rows, too
	cut = true
	events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e EventView, err error) {
		var more bool
		err = e.scan(row, &more, &e.Effects)
		cut = cut && more
		return e, err
	})
	return events, cut, err
}

// Chain gives a key's last event, and the key's events before it back to a day, oldest first, so
// many at most. It is cut where there were older ones.
func (s *Store) Chain(ctx context.Context, last Ref, since time.Time, most int) (events []EventView, cut bool, err error) {
	return s.thread(ctx, chainSQL, last.Source, last.Row, since.UTC().Format(time.DateOnly), most)
}

func (s *Store) thread(ctx context.Context, query string, args ...any) (events []EventView, cut bool, err error) {
	rows, _ := s.pool.Query(ctx, query, args...) // its error is that of the rows, too
	cut = true                                   // until an event that continues none is found
	events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e EventView, err error) {
		var more bool
		err = e.scan(row, &more)
		cut = cut && more
		return e, err
	})
	return events, cut, err
}
