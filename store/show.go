package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrUnknown is returned for what the database has never heard of.
var ErrUnknown = errors.New("unknown")

// Query reads the tables of a service. Its rows have to be closed, as those of pgx.
func (s *Store) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return s.pool.Query(ctx, sql, args...)
}

// ShowError says what an error of Query, or of its rows, means: ErrUnknown where there is no row.
func ShowError(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrUnknown
	}
	return readError(doing, err)
}

// EventView is an event, and the command that it came from.
type EventView struct {
	Type      string          `json:"type"`
	Sequence  int64           `json:"sequence"`
	Data      json.RawMessage `json:"data"`
	Time      *time.Time      `json:"time,omitempty"` // of the command's record
	CommandID string          `json:"command_id,omitempty"`
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
}

// maxHistory bounds the events of a history.
const maxHistory = 1000

// Each event knows the one that it continues. Days that were dropped end the history.
const historySQL = `
with recursive history as (
    select o.*, 1 as step from outbox o where source = $1 and row_no = $2 and day = date '2000-01-01' + $3::int
    union all
    select o.*, h.step + 1 from history h join outbox o on o.source = h.previous_source and o.row_no = h.previous_row and o.day = h.previous_day
    where h.step < $4)
select type, coalesce(sequence, 0), value, command_time, coalesce(command_id, ''), p.topic, p.partition, command_offset, previous_source is not null
from history join positions p using (source) order by step desc`

// History gives an event and those that it continues, oldest first. It is cut where older ones are
// no longer in the database, or too many.
func (s *Store) History(ctx context.Context, last Ref) (events []EventView, cut bool, err error) {
	rows, _ := s.pool.Query(ctx, historySQL, last.Source, last.Row, last.Day(), maxHistory) // its error is that of the rows, too
	cut = true                                                                              // until an event that continues none is found
	events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e EventView, err error) {
		var ms *int64
		var more bool
		err = row.Scan(&e.Type, &e.Sequence, &e.Data, &ms, &e.CommandID, &e.Topic, &e.Partition, &e.Offset, &more)
		if ms != nil {
			at := time.UnixMilli(*ms).UTC()
			e.Time = &at
		}
		cut = cut && more
		return e, err
	})
	return events, cut, err
}
