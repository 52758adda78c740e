package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// HeldKey is a key whose commands wait behind one that failed unexpectedly, or that waits for a
// newer worker.
type HeldKey struct {
	Key     string    `json:"-"`
	Letter  RecordID  `json:"letter"`       // that holds it
	State   string    `json:"letter_state"` // once that is retried or discarded, what waits is being applied
	Since   time.Time `json:"since"`
	Waiting int64     `json:"waiting"`
	Message string    `json:"message"` // of the dead letter

	WaitsUntil *time.Time `json:"waits_until,omitempty"` // for a worker that knows the letter's type; nil: for a decision
}

const showHeldSQL = `
select k.key, p.topic, p.partition, d.command_offset, d.state, k.held_at, (select count(*) from held_commands h where h.key = k.key), d.message,
    case when ` + waitsSQL + ` then k.waits_until end
from held_keys k
join dead_letters d on d.source = k.source and d.row_no = k.row_no
join positions p on p.source = coalesce(d.command_source, d.source)
where k.key = any($1) order by k.key`

// Held gives those of some keys that are held.
func (s *Store) Held(ctx context.Context, keys ...string) ([]HeldKey, error) {
	return heldKeys(ctx, s.pool, keys)
}

// querier is a pool, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func heldKeys(ctx context.Context, db querier, keys []string) ([]HeldKey, error) {
	rows, _ := db.Query(ctx, showHeldSQL, keys) // its error is that of the rows, too
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (h HeldKey, err error) {
		err = row.Scan(&h.Key, &h.Letter.Topic, &h.Letter.Partition, &h.Letter.Offset, &h.State, &h.Since, &h.Waiting, &h.Message, &h.WaitsUntil)
		return h, err
	})
}

const waitsToCreateSQL = `select key from held_keys where creates = $1 union all select key from held_commands where creates = $1 limit 1`

// WaitsToCreate gives the key behind which a command waits that would create a name. Where none
// does, the error is pgx.ErrNoRows.
func (s *Store) WaitsToCreate(ctx context.Context, name string) (key string, err error) {
	err = s.pool.QueryRow(ctx, waitsToCreateSQL, name).Scan(&key)
	return key, err
}

// HeldIn is Held, in a snapshot.
func HeldIn(ctx context.Context, tx pgx.Tx, keys ...string) ([]HeldKey, error) {
	return heldKeys(ctx, tx, keys)
}
