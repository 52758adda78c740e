package keyed

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"allocation/store"
	"allocation/worker"
)

// aggregate decides the commands of one transaction.
type aggregate[S, C any] struct {
	rules    *Rules[S, C]
	commands []command[C]
	rows     map[string]*row[S] // by key
}

// command is one of the transaction, and what it came to.
type command[C any] struct {
	read C
	key  string
	open bool // it was not refused when it was read

	refusal *worker.Refusal
	events  []Event
	version int64 // of the key after the last event
}

// row is the state of a key.
type row[S any] struct {
	state         S
	read, version int64 // read is the version that was read; 0: there was none
	last          store.Ref
}

// Begin reads the commands, and names their keys.
func (a *aggregate[S, C]) Begin(tx *store.Tx) {
	a.commands, a.rows = make([]command[C], tx.Len()), map[string]*row[S]{}
	for i := range a.commands {
		c := &a.commands[i]
		switch from := tx.Command(i); {
		case tx.Decided(i):
			continue
		case tx.Newer(i): // its data may be anything
			c.key, c.open = string(from.Key), true
		case tx.Fails(i):
			a.readFailed(c, from)
		default:
			a.readCommand(c, from)
		}
		tx.Name(i, c.key, c.key)
	}
}

func (a *aggregate[S, C]) readCommand(c *command[C], from *worker.Command) {
	if c.read, c.refusal = a.rules.Read(from.Type, from.Data); c.refusal == nil {
		c.key, c.open = a.rules.Key(c.read), true
	}
}

// readFailed reads a command that failed, for its key. Reading it may be what failed; then nothing
// can be held.
func (a *aggregate[S, C]) readFailed(c *command[C], from *worker.Command) {
	defer func() {
		if recover() != nil {
			*c = command[C]{}
		}
	}()
	a.readCommand(c, from)
	c.refusal = nil
}

// Decide loads all keys, and decides the commands in order.
func (a *aggregate[S, C]) Decide(ctx context.Context, tx *store.Tx) error {
	if tx.LockFirst() {
		if err := tx.Lock(ctx, `select from `+a.rules.Table+` where key = any($1) order by key for no key update`, a.keys()); err != nil {
			return err
		}
	}
	if err := a.load(ctx, tx); err != nil {
		return err
	}
	for i := range a.commands {
		c := &a.commands[i]
		if !c.open {
			continue
		}
		switch tx.Park(i, c.key, "") {
		case store.Parked:
		case store.Asked:
			return fmt.Errorf("decide: whether %q is held was not loaded", c.key)
		case store.Free:
			a.decide(c)
		}
	}
	return nil
}

func (a *aggregate[S, C]) keys() []string {
	all := make([]string, 0, len(a.commands))
	for i := range a.commands {
		if a.commands[i].open {
			all = append(all, a.commands[i].key)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (a *aggregate[S, C]) load(ctx context.Context, tx *store.Tx) error {
	keys, batch := a.keys(), &pgx.Batch{}
	for _, key := range keys {
		a.rows[key] = &row[S]{}
	}
	batch.Queue(`select key, state, version, last_source, last_row, last_day from `+a.rules.Table+` where key = any($1)`, keys)
	return tx.Load(ctx, batch, keys, nil, func(results pgx.BatchResults) error {
		rows, _ := results.Query() // its error is that of the rows
		var key string
		var state []byte
		var version int64
		var last store.Ref
		source, number, day := last.Scan()
		_, err := pgx.ForEachRow(rows, []any{&key, &state, &version, source, number, day}, func() error {
			r := a.rows[key]
			r.read, r.version, r.last = version, version, last
			return json.Unmarshal(state, &r.state)
		})
		return err
	})
}

func (a *aggregate[S, C]) decide(c *command[C]) {
	r := a.rows[c.key]
	c.events, c.refusal = a.rules.Decide(c.read, &r.state)
	r.version += int64(len(c.events))
	c.version = r.version
}

// Outcome tells what a command came to.
func (a *aggregate[S, C]) Outcome(i int) (refusal *worker.Refusal, events int) {
	return a.commands[i].refusal, len(a.commands[i].events)
}

// Event gives an event of a command.
func (a *aggregate[S, C]) Event(i, n int, at store.Ref, value []byte) (store.Event, []byte) {
	c := &a.commands[i]
	r, event := a.rows[c.key], c.events[n]
	data, err := json.Marshal(event.Data)
	if err != nil {
		panic(fmt.Sprintf("the data of %s is no JSON: %v", event.Type, err)) // it fails with its command
	}
	e := store.Event{Type: event.Type, Key: c.key, Subject: c.key, Sequence: c.version - int64(len(c.events)-1-n), Last: r.last, Previous: r.last}
	r.last = at
	return e, append(value, data...)
}

// Write writes the rows that changed, and checks the others, at the versions that were read.
func (a *aggregate[S, C]) Write(p *store.Pipeline, _ *store.Tx) (keys []string) {
	keys = slices.Sorted(maps.Keys(a.rows))
	for _, key := range keys {
		a.write(p, key, a.rows[key])
	}
	return keys
}

func (a *aggregate[S, C]) write(p *store.Pipeline, key string, r *row[S]) {
	table := a.rules.Table
	if r.version == r.read {
		p.Execute(`select expect_count((select count(*) from `+table+` where key = $1 and version = $2), $3, 'rows as they were read')`, key, r.read, min(r.read, 1))
		return
	}
	state, err := json.Marshal(r.state)
	if err != nil {
		panic(fmt.Sprintf("the state of %q is no JSON: %v", key, err)) // it fails with its command
	}
	if r.read == 0 {
		p.Execute(`insert into `+table+` (key, state, version, last_source, last_row, last_day) values ($1, $2, $3, $4, $5, $6)`,
			key, state, r.version, r.last.Source, r.last.Row, r.last.Day())
		return
	}
	p.Execute(`with updated as (
		update `+table+` set state = $2, version = $3, last_source = $4, last_row = $5, last_day = $6 where key = $1 and version = $7 returning 1)
		select expect_count((select count(*) from updated), 1, 'rows as they were read')`,
		key, state, r.version, r.last.Source, r.last.Row, r.last.Day(), r.read)
}

// Done forgets everything.
func (a *aggregate[S, C]) Done(error) { a.commands, a.rows = nil, nil }
