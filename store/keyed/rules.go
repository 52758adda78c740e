// Package keyed is the aggregate of services whose commands are each about one key, and whose state
// of a key is small: it is kept as JSON in one row, and read and written as a whole.
//
// The table has the columns
//
//	key text primary key, state jsonb, version bigint, last_source integer, last_row bigint, last_day integer
//
// none of them null. The version counts the key's events. Workers have the rights select, insert
// and update, operators select. Where the state changes without events, too (Rules.Change), there
// is one more column
//
//	changes bigint
//
// that counts how often the row was written.
//
// Nothing is remembered from one transaction to the next. A row is written, or relied upon, only at
// the version that was read.
package keyed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"allocation/migrations"
	"allocation/store"
	"allocation/worker"
)

// Rules decide commands of the type C on the state S of their key. A key without a row has the zero
// S.
type Rules[S, C any] struct {
	Table  string
	Entity string // what a key names, for people

	// Read reads the JSON data of the command of a name, or refuses it.
	Read func(name string, data []byte) (C, *worker.Refusal)

	// Key is what a command is about.
	Key func(C) string

	// Decide decides a command. It changes the state only where it gives events, and gives none where
	// it refuses.
	Decide func(C, *S) ([]Event, *worker.Refusal)

	// Fact reads an event of another service. mine is false where it is about nothing of this one. It
	// is nil where none are taken.
	Fact func(*worker.Command) (c C, mine bool, refusal *worker.Refusal)

	// Change is Decide for a service whose state also changes without events, as where it takes those
	// of others. It changes the state only where it says so. One of the two is nil.
	Change func(C, *S) Decision
}

// Decision is what a command, or an event of another service, came to.
type Decision struct {
	Events  []Event
	Refusal *worker.Refusal // it changed nothing
	Changed bool            // the state did; it has to be true where there are events
	Ignored bool            // it is an event that was applied before, or is about nothing of the service's
}

// Event is something that happened to a key, or a command that it leads to.
type Event struct {
	Type    string
	Subject string // what it is about; empty: the key
	Data    any    // its JSON is what is published

	Command     bool   // it is a command, of a type that the service sends: it has no sequence
	RecordKey   string // of the Kafka record; empty: the key
	Correlation string // of a command; empty: that of what it came from
}

// decide has a command decided by the one that there is of Decide and Change.
func (r *Rules[S, C]) decide(c C, state *S) Decision {
	if r.Change != nil {
		return r.Change(c, state)
	}
	events, refusal := r.Decide(c, state)
	return Decision{Events: events, Refusal: refusal, Changed: len(events) > 0}
}

// guard is the column whose value changes with each write of a row.
func (r *Rules[S, C]) guard() string {
	if r.Change != nil {
		return "changes"
	}
	return "version"
}

// Service is a service of the rules, with the line of migrations that makes their table.
func (r *Rules[S, C]) Service(name, typePrefix string, line *migrations.Line) store.Service {
	return store.Service{
		Name: name, TypePrefix: typePrefix, Table: r.Table, Line: line,
		Aggregate: func() store.Aggregate { return &aggregate[S, C]{rules: r} },
		Rows:      map[string]string{r.Table: fmt.Sprintf(`select '%s ' || key, key from %s where ctid = $1::text::tid`, r.Entity, r.Table)},
	}
}

// State is the state of a key for people, with its version. It is store.ErrUnknown where there is
// none.
func (r *Rules[S, C]) State(ctx context.Context, db *store.Store, key string) (state *S, version int64, err error) {
	rows, err := db.Query(ctx, `select state, version from `+r.Table+` where key = $1`, key)
	if err != nil {
		return nil, 0, store.ShowError("show", err)
	}
	state = new(S)
	version, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (version int64, err error) {
		var text []byte
		if err = row.Scan(&text, &version); err == nil {
			err = json.Unmarshal(text, state)
		}
		return version, err
	})
	return state, version, store.ShowError("show", err)
}
