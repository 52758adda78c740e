package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"allocation/migrations"
	"allocation/worker"
)

// Version is what the database's schema is at.
func (s *Store) Version(ctx context.Context) (migrations.Version, error) {
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	state, err := migrations.Look(ctx, db, s.schema, s.service.Lines())
	if err != nil {
		return migrations.Version{}, readError("read the schema's version", err)
	}
	return state.Version, nil
}

// WorkerView is a worker that told the database not long ago that it runs.
type WorkerView struct {
	Owner      string    `json:"owner"`
	Version    string    `json:"version,omitempty"` // empty: not known, it is of before versions were told
	Seen       time.Time `json:"seen"`
	Partitions int64     `json:"partitions"`
	Silent     bool      `json:"silent,omitempty"` // it told nothing for longer than one that runs
}

// workerLives is for how long a worker counts that tells nothing. It tells something every 5 s.
const workerLives = "30 seconds"

// workerSilent is after how long a worker is said to tell nothing.
const workerSilent = "15 seconds"

const workersSQL = `
select n.owner, coalesce(n.version, ''), n.at, (select count(*) from positions p where p.owner = n.owner and p.retired_at is null),
    n.at < now() - interval '` + workerSilent + `'
from (select distinct on (worker) * from worker_nonces where at > now() - interval '` + workerLives + `' order by worker, at desc) n
order by n.owner, n.worker`

// Workers are the workers of this database that run, or did until a moment ago.
func (s *Store) Workers(ctx context.Context) ([]WorkerView, error) {
	return list(ctx, s, "read workers", pgx.RowToStructByPos[WorkerView], workersSQL)
}

// Backlog is how many of something there are, and since when the oldest.
type Backlog struct {
	Count  int64      `json:"count"`
	More   bool       `json:"more,omitempty"`   // than were counted
	Oldest *time.Time `json:"oldest,omitempty"` // null: there is none, or that is not known
}

const (
	openLettersSQL = `
select count(*), min(recorded_at) from dead_letters d where ` + unresolvedSQL + `d.state = 'open' and d.reason <> '` + worker.ReasonNewer + `'`

	decidedLettersSQL = `select count(*), min(recorded_at) from dead_letters d where d.state in ('retrying', 'discarding')`

	// A key whose time to wait is over stays held where only workers of a version that does not
	// know of that have its partition.
	awaitsSQL    = waitsSQL + ` and k.waits_until > now() - interval '1 minute'`
	heldKeysSQL  = `select count(*), min(k.held_at) from held_keys k join dead_letters d using (source, row_no) where not (` + awaitsSQL + `)`
	newerKeysSQL = `select count(*), min(k.held_at) from held_keys k join dead_letters d using (source, row_no) where ` + awaitsSQL
)

// OpenLetters counts dead letters about which nobody decided yet. Those that wait for a newer
// worker need nobody.
func (s *Store) OpenLetters(ctx context.Context) (Backlog, error) {
	return s.backlog(ctx, "count dead letters", openLettersSQL)
}

// DecidedLetters counts those about which somebody did, and no worker has done it yet.
func (s *Store) DecidedLetters(ctx context.Context) (Backlog, error) {
	return s.backlog(ctx, "count decided dead letters", decidedLettersSQL)
}

// HeldKeys counts keys whose commands wait behind a dead letter, until an operator decides.
func (s *Store) HeldKeys(ctx context.Context) (Backlog, error) {
	return s.backlog(ctx, "count held keys", heldKeysSQL)
}

// NewerKeys counts keys whose commands wait behind one that waits for a newer worker.
func (s *Store) NewerKeys(ctx context.Context) (Backlog, error) {
	return s.backlog(ctx, "count keys that wait for a newer worker", newerKeysSQL)
}

// Waiting counts what waits in the service's own tables, so many at most: see Service.Waiting.
func (s *Store) Waiting(ctx context.Context, most int64) (b Backlog, err error) {
	if s.service.Waiting == nil {
		return b, nil
	}
	err = s.one(ctx, "count what waits", []any{&b.Count, &b.Oldest}, s.service.Waiting.SQL, most+1)
	if b.More = b.Count > most; b.More {
		b.Count = most
	}
	return b, err
}

func (s *Store) backlog(ctx context.Context, doing, sql string) (b Backlog, err error) {
	return b, s.one(ctx, doing, []any{&b.Count, &b.Oldest}, sql)
}
