package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Way is what became of a command, as far as the database tells.
type Way struct {
	ID        RecordID      `json:"position"`
	Partition PartitionView `json:"partition"`
	Applied   []Application `json:"applied,omitempty"` // each transaction that was about it, oldest first
	Letters   []Letter      `json:"dead_letters,omitempty"`
	Waits     *Waits        `json:"waits,omitempty"`      // behind a held key
	Waited    []Waited      `json:"waited,omitempty"`     // behind a held key, and no longer
	Since     *time.Time    `json:"kept_since,omitempty"` // the oldest transaction of the partition that is kept
}

// PartitionView is where the partition of a command is now.
type PartitionView struct {
	Known        bool       `json:"known"` // some worker claimed it
	NextOffset   int64      `json:"next_offset"`
	Owner        string     `json:"owner,omitempty"`
	MovedAt      *time.Time `json:"moved_at,omitempty"`
	Trouble      string     `json:"trouble,omitempty"` // what keeps its records from coming, as its owner says
	TroubleSince *time.Time `json:"trouble_since,omitempty"`

	sources []int32 // its own, and those that it had before its topic was made again
}

// Application is a transaction that a command was part of.
type Application struct {
	Committed time.Time   `json:"committed"`
	Worker    string      `json:"worker"`
	Epoch     int64       `json:"epoch"`
	Again     bool        `json:"again,omitempty"`   // it had been parked
	Retired   bool        `json:"retired,omitempty"` // its topic was made again since
	Events    []EventView `json:"events,omitempty"`
	Rows      int64       `json:"-"` // of the outbox, dead letters among them
	Unsent    int64       `json:"unpublished_rows"`
	source    int32
	from, to  int64 // rows
}

// Waits is how a command waits behind a held key.
type Waits struct {
	Key   string    `json:"key"`
	Since time.Time `json:"since"`
	First int64     `json:"before_it"` // how many commands wait in front of it
	Held  HeldKey   `json:"held"`
}

// Waited is how a command waited behind a held key.
type Waited struct {
	Key    string    `json:"key"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	source int32
}

const (
	wayPartitionSQL = `
select p.source, p.next_offset, coalesce(p.owner, ''), p.moved_at, p.retired_at is not null, coalesce(f.why, ''), f.since
from positions p left join fetch_troubles f on f.source = p.source and f.token = p.token
where p.topic = $1 and p.partition = $2 order by p.retired_at is not null, p.source desc`

	wayAppliedSQL = `
select t.source, t.committed_at, coalesce(c.owner, ''), t.epoch, t.from_row, t.to_row, p.retired_at is not null
from positions p cross join generate_series(0, p.replays) r cross join lateral (
    select * from transactions t where t.source = p.source and t.replays = r and t.to_offset > t.from_offset and t.from_offset <= $2
    order by t.from_offset desc limit 1) t
left join claims c on c.source = t.source and c.epoch = t.epoch
where p.source = any($1) and t.to_offset > $2 order by t.committed_at`

	// Transactions with what was parked are few.
	wayAgainSQL = `
select distinct t.source, t.committed_at, coalesce(c.owner, ''), t.epoch, t.from_row, t.to_row, false
from transactions t join outbox o on o.source = t.source and o.row_no >= t.from_row and o.row_no < t.to_row and o.day between t.day - 1 and t.day + 1
left join claims c on c.source = t.source and c.epoch = t.epoch
where t.source = any($1) and t.to_offset = t.from_offset and t.committed_at >= $2
    and o.command_offset = $3 and coalesce(o.command_source, o.source) = any($4) order by t.committed_at`

	wayEventsSQL = eventViewSQL + ` from outbox o` + eventViewJoins + `
where o.source = $1 and o.row_no >= $2 and o.row_no < $3 and o.command_offset = $4 and coalesce(o.command_source, o.source) = any($5)
    and o.type <> '' and o.type not like 'dlq-%' and ($6 or o.command_source is null)
order by o.row_no limit $7`

	wayRowsSQL = `
select count(*), count(*) filter (where o.row_no >= p.published_row) from outbox o join positions p using (source)
where o.source = $1 and o.row_no >= $2 and o.row_no < $3 and o.command_offset = $4 and coalesce(o.command_source, o.source) = any($5)`

	wayLettersSQL = `select ` + letterColumns + ` from dead_letters d` + letterJoins + `
where coalesce(d.command_source, d.source) = any($1) and (d.command_offset = $2 or d.batch_last is not null and d.command_offset <= $2 and d.batch_last >= $2)
order by d.recorded_at, d.row_no limit $3`

	wayWaitsSQL = `
select h.key, h.held_at, (select count(*) from held_commands b where b.key = h.key and b.seq < h.seq)
from held_commands h where h.command_source = any($1) and h.command_offset = $2`

	wayWaitedSQL = `
select key, held_at, unparked_at, coalesce(source, 0) from unparked_commands where command_source = any($1) and command_offset = $2 order by unparked_at`

	waySinceSQL = `
select min(t.committed_at) from positions p cross join generate_series(0, p.replays) r cross join lateral (
    select committed_at from transactions t where t.source = p.source and t.replays = r and t.to_offset > t.from_offset order by t.from_offset limit 1) t
where p.source = any($1)`
)

// maxWayEvents bounds the events of a command that are shown.
const maxWayEvents = 1000

// Way gives what became of the command at a position, and ErrUnknown where the database knows no
// such partition.
func (s *Store) Way(ctx context.Context, id RecordID) (*Way, error) {
	w := &Way{ID: id}
	for _, part := range []func(context.Context, *Way) error{s.wayPartition, s.wayApplied, s.wayLetters, s.wayWaits, s.wayAgain, s.wayEvents} {
		if err := part(ctx, w); err != nil {
			return nil, ShowError("explain a command", err)
		}
	}
	return w, nil
}

// HasPartition reports whether the database knows the partition of a position.
func (s *Store) HasPartition(ctx context.Context, id RecordID) (known bool, err error) {
	return known, s.one(ctx, "look for a partition", []any{&known}, `select exists (select from positions where topic = $1 and partition = $2)`, id.Topic, id.Partition)
}

const topicOfSQL = `
select topic, max(partition) + 1 from positions
where retired_at is null and ($1 = topic or starts_with($1, topic || '.')) group by topic order by length(topic) desc limit 1`

// TopicOf is the topic that a text begins with, and how many partitions it has as far as the
// database knows. It is empty where the text begins with none that the database knows.
func (s *Store) TopicOf(ctx context.Context, text string) (topic string, partitions int32, err error) {
	rows, _ := s.pool.Query(ctx, topicOfSQL, text) // its error is that of the rows, too
	_, err = pgx.ForEachRow(rows, []any{&topic, &partitions}, func() error { return nil })
	return topic, partitions, ShowError("look for a topic", err)
}

func (s *Store) wayPartition(ctx context.Context, w *Way) error {
	rows, _ := s.pool.Query(ctx, wayPartitionSQL, w.ID.Topic, w.ID.Partition) // its error is that of the rows, too
	var source int32
	var now PartitionView
	var retired bool
	_, err := pgx.ForEachRow(rows, []any{&source, &now.NextOffset, &now.Owner, &now.MovedAt, &retired, &now.Trouble, &now.TroubleSince}, func() error {
		if !w.Partition.Known && !retired {
			now.Known, now.sources = true, w.Partition.sources
			w.Partition = now
		}
		w.Partition.sources = append(w.Partition.sources, source)
		return nil
	})
	if err == nil && len(w.Partition.sources) == 0 {
		return pgx.ErrNoRows
	}
	return err
}

func scanApplication(row pgx.CollectableRow) (a Application, err error) {
	return a, row.Scan(&a.source, &a.Committed, &a.Worker, &a.Epoch, &a.from, &a.to, &a.Retired)
}

func (s *Store) wayApplied(ctx context.Context, w *Way) (err error) {
	if w.Applied, err = list(ctx, s, "read transactions", scanApplication, wayAppliedSQL, w.Partition.sources, w.ID.Offset); err != nil {
		return err
	}
	return s.pool.QueryRow(ctx, waySinceSQL, w.Partition.sources).Scan(&w.Since)
}

func (s *Store) wayLetters(ctx context.Context, w *Way) (err error) {
	w.Letters, err = list(ctx, s, "read dead letters", scanLetter, wayLettersSQL, w.Partition.sources, w.ID.Offset, maxOthers)
	return err
}

func (s *Store) wayWaits(ctx context.Context, w *Way) error {
	rows, _ := s.pool.Query(ctx, wayWaitsSQL, w.Partition.sources, w.ID.Offset) // as above
	waits, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (x Waits, err error) { return x, row.Scan(&x.Key, &x.Since, &x.First) })
	if err != nil {
		return err
	}
	for i := range waits {
		held, err := s.Held(ctx, waits[i].Key)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			waits[i].Held = held[0]
		}
		w.Waits = &waits[i]
	}
	w.Waited, err = list(ctx, s, "read what waited", func(row pgx.CollectableRow) (x Waited, err error) {
		return x, row.Scan(&x.Key, &x.Since, &x.Until, &x.source)
	}, wayWaitedSQL, w.Partition.sources, w.ID.Offset)
	return err
}

// wayAgain adds transactions in which a command was applied that had been parked.
func (s *Store) wayAgain(ctx context.Context, w *Way) error {
	if len(w.Letters)+len(w.Waited) == 0 {
		return nil
	}
	sources, first := append([]int32{}, w.Partition.sources...), time.Now()
	for _, l := range w.Letters {
		sources = append(sources, l.row.Source)
		first = earlier(first, l.RecordedAt)
	}
	for _, waited := range w.Waited {
		sources = append(sources, waited.source)
		first = earlier(first, waited.Since)
	}
	again, err := list(ctx, s, "read transactions", scanApplication, wayAgainSQL, sources, first, w.ID.Offset, w.Partition.sources)
	for _, a := range again {
		a.Again = true
		w.Applied = append(w.Applied, a)
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (s *Store) wayEvents(ctx context.Context, w *Way) error {
	for i := range w.Applied {
		a := &w.Applied[i]
		rows, _ := s.pool.Query(ctx, wayEventsSQL, a.source, a.from, a.to, w.ID.Offset, w.Partition.sources, a.Again, maxWayEvents) // as above
		var err error
		if a.Events, err = pgx.CollectRows(rows, scanEventView); err != nil {
			return err
		}
		if err := s.pool.QueryRow(ctx, wayRowsSQL, a.source, a.from, a.to, w.ID.Offset, w.Partition.sources).Scan(&a.Rows, &a.Unsent); err != nil {
			return err
		}
	}
	return nil
}
