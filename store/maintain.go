package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"allocation/worker"
)

// daysAhead is how many days of the outbox exist before they are needed: as long a holiday as the
// maintenance may take.
const daysAhead = 14

// A day is dropped under a lock that nobody may hold for long, so who does not get it comes again.
const (
	dropAttempts = 5
	dropAgain    = 500 * time.Millisecond
)

// The server's clock alone decides what is old: a worker's may be wrong.
const dropDaySQL = `select outbox_drop_day((now() at time zone 'utc' - $1 * interval '1 second')::date)`

// MakeDays makes the outbox' coming days. Any worker may call it at any time; one works, the others
// wait for it.
func (s *Store) MakeDays(ctx context.Context) error {
	return s.exec(ctx, "make outbox days", `select outbox_make_days($1)`, daysAhead)
}

// DropDays drops the outbox' days that are older than the retention and whose rows are all
// published. It returns the names of the tables that it dropped. Yesterday and later days stay,
// whatever the retention is.
func (s *Store) DropDays(ctx context.Context, retention time.Duration) (dropped []string, err error) {
	for {
		name, err := s.dropDay(ctx, retention)
		if err != nil || name == nil {
			return dropped, err
		}
		dropped = append(dropped, *name)
	}
}

func (s *Store) dropDay(ctx context.Context, retention time.Duration) (name *string, err error) {
	for attempt := 1; ; attempt++ {
		err := s.one(ctx, "drop outbox days", []any{&name}, dropDaySQL, retention.Seconds())
		if attempt == dropAttempts || !isLocked(err) {
			return name, err
		}
		select {
		case <-ctx.Done():
			return nil, readError("drop outbox days", context.Cause(ctx))
		case <-time.After(dropAgain/2 + rand.N(dropAgain)):
		}
	}
}

// indexTime bounds what an index of a day may take. Nobody writes to that day any more, so only
// those wait who want to drop it.
const indexTime = 15 * time.Minute

// IndexDays makes what finds commands by their id and correlation on days of the outbox that are
// over. It returns the names of the days' tables. One worker works at a time; others return at
// once.
func (s *Store) IndexDays(ctx context.Context) (indexed []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, indexTime)
	defer cancel()
	for {
		var name *string
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, setTimeoutSQL, milliseconds(indexTime)); err != nil {
				return err
			}
			return tx.QueryRow(ctx, `select outbox_index_day()`).Scan(&name)
		})
		if err != nil || name == nil {
			return indexed, readError("index a day of the outbox", err)
		}
		indexed = append(indexed, *name)
	}
}

// isLocked: somebody else holds the lock for longer than this call waits for it.
func isLocked(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == codeLocked
}

// OutboxDaysAhead is for how many days after today the outbox has a table, without a gap; -1 where
// today has none.
func (s *Store) OutboxDaysAhead(ctx context.Context) (days int, err error) {
	err = s.one(ctx, "count outbox days", []any{&days}, `select outbox_days_ahead()`)
	return days, err
}

// LacksDay is where a transaction that found no table for its day asks for MakeDays.
func (s *Store) LacksDay() <-chan struct{} { return s.lacksDay }

// noteDay asks for the day that a transaction of today's lacks, and says so.
func (s *Store) noteDay(err error, today day) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || !lacksDay(pg) {
		return err
	}
	select {
	case s.lacksDay <- struct{}{}:
	default: // somebody asked already
	}
	return fmt.Errorf("%w: the outbox has no table for %s: %w", worker.ErrOutage, today, pg)
}
