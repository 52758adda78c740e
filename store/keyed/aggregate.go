package keyed

import (
	"cmp"
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
	open bool // it was not refused when it was read, and is about something of the service's

	Decision
	version int64 // of the key before its events
}

// row is the state of a key.
type row[S any] struct {
	state   S
	read    int64 // the guard's value that was read; 0: there was no row
	version int64
	last    store.Ref
	changed bool
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
		if c.Ignored {
			tx.Ignore(i)
		}
		tx.Name(i, c.key, c.key)
	}
}

func (a *aggregate[S, C]) readCommand(c *command[C], from *worker.Command) {
	mine := true
	if from.Taken {
		c.read, mine, c.Refusal = a.rules.Fact(from)
	} else {
		c.read, c.Refusal = a.rules.Read(from.Type, from.Data)
	}
	switch {
	case c.Refusal != nil:
	case mine:
		c.key, c.open = a.rules.Key(c.read), true
	default:
		c.Ignored = true
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
	c.Decision = Decision{}
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
			if c.Ignored {
				tx.Ignore(i)
			}
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
	batch.Queue(`select key, state, version, `+a.rules.guard()+`, last_source, last_row, last_day from `+a.rules.Table+` where key = any($1)`, keys)
	return tx.Load(ctx, batch, keys, nil, func(results pgx.BatchResults) error {
		rows, _ := results.Query() // its error is that of the rows
		var key string
		var state []byte
		var version, guard int64
		var last store.Ref
		source, number, day := last.Scan()
		_, err := pgx.ForEachRow(rows, []any{&key, &state, &version, &guard, source, number, day}, func() error {
			r := a.rows[key]
			r.read, r.version, r.last = guard, version, last
			return json.Unmarshal(state, &r.state)
		})
		return err
	})
}

func (a *aggregate[S, C]) decide(c *command[C]) {
	r := a.rows[c.key]
	c.Decision = a.rules.decide(c.read, &r.state)
	c.version = r.version
	for i := range c.Events {
		if !c.Events[i].Command {
			r.version++
		}
	}
	r.changed = r.changed || c.Changed
}

// Outcome tells what a command came to.
func (a *aggregate[S, C]) Outcome(i int) (refusal *worker.Refusal, events int) {
	return a.commands[i].Refusal, len(a.commands[i].Events)
}

// Event gives an event of a command, or a command that it leads to.
func (a *aggregate[S, C]) Event(i, n int, at store.Ref, value []byte) (store.Event, []byte) {
	c := &a.commands[i]
	r, event := a.rows[c.key], c.Events[n]
	data, err := json.Marshal(event.Data)
	if err != nil {
		panic(fmt.Sprintf("the data of %s is no JSON: %v", event.Type, err)) // it fails with its command
	}
	e := store.Event{
		Type: event.Type, Key: c.key, Subject: cmp.Or(event.Subject, c.key), RecordKey: event.RecordKey, Correlation: event.Correlation,
		Last: r.last, Previous: r.last,
	}
	if !event.Command {
		c.version++ // they come in order
		e.Sequence = c.version
	}
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
	table, guard := a.rules.Table, a.rules.guard()
	if !r.changed {
		p.Execute(`select expect_count((select count(*) from `+table+` where key = $1 and `+guard+` = $2), $3, 'rows as they were read')`, key, r.read, min(r.read, 1))
		return
	}
	state, err := json.Marshal(r.state)
	if err != nil {
		panic(fmt.Sprintf("the state of %q is no JSON: %v", key, err)) // it fails with its command
	}
	columns, values, set := "", "", ""
	args := []any{key, state, r.version, r.last.Source, r.last.Row, r.last.Day()}
	if guard != "version" {
		columns, values, set = ", "+guard, ", $7", ", "+guard+" = $7"
		args = append(args, r.read+1)
	}
	if r.read == 0 {
		p.Execute(`insert into `+table+` (key, state, version, last_source, last_row, last_day`+columns+`) values ($1, $2, $3, $4, $5, $6`+values+`)`, args...)
		return
	}
	p.Execute(fmt.Sprintf(`with updated as (
		update %s set state = $2, version = $3, last_source = $4, last_row = $5, last_day = $6%s where key = $1 and %s = $%d returning 1)
		select expect_count((select count(*) from updated), 1, 'rows as they were read')`, table, set, guard, len(args)+1), append(args, r.read)...)
}

// Done forgets everything.
func (a *aggregate[S, C]) Done(error) { a.commands, a.rows = nil, nil }
