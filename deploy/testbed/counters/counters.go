// Package counters is a service for the engine's own tests: it keeps a counter for each key.
//
// Its commands are
//
//   - Make {"key","name","n"}: a counter gets a name, which no other may have, and n more; without
//     any name it begins there. Repeated, it has no effect.
//   - Add {"key","n"}: n is added, which may be less than nothing. A counter is never below zero.
//     What is refused has an event that counts with no others, Rejected {"key","reason"}.
//   - AddTo {"name","n"}: the same, to the counter of a name. Which key it is about is known after
//     a load.
//   - Refill {"key","name","n"}: another service is asked for n more, by its command Restock
//     {"key","n"}. The record's key is the name, and its correlation "refill of KEY". The counter
//     stays as it is.
//   - Flood {"key","n"}: one is added n times, with an event for each. What comes behind it is left
//     to the next transaction.
//
// It takes the event Moved {"key"} of another service: the counter's value becomes its sequence.
// One whose sequence is not above the value is ignored.
//
// A newer version of the service, with the types of Later, knows the version 2 of Add, too, which
// is about the same.
//
// A refusal is unknown_key, unknown_name, name_taken, below_zero, unknown_type or malformed. An
// event has the key's new value: Made {"key","value"}, Added {"key","value"}. Its subject is the
// command's name, or else the key. Of Add the name means nothing more.
//
// Nothing is remembered from one transaction to the next.
package counters

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"allocation/store"
	"allocation/worker"
)

// Service keeps counters.
var Service = store.Service{
	Name:       "counters",
	TypePrefix: "counters.v1.",
	Aggregate:  func() store.Aggregate { return &counters{} },
	Table:      "counters",
	Rows:       map[string]string{"counters": `select 'counter ' || key, key from counters where ctid = $1::text::tid`},
}

// Later are the types that only the service of a newer version knows.
var Later = []string{"counters.v2.Add"}

// Tables makes the tables of the service.
const Tables = `
create table counters (
    key         text primary key,
    value       bigint not null,
    version     bigint not null,
    last_source integer not null,
    last_row    bigint not null,
    last_day    integer not null
);
create table counter_names (name text primary key, key text not null);
grant select, insert, update on counters, counter_names to allocation_worker;`

type counter struct {
	value, version, read int64 // read is the version that was read; 0: there was none
	last                 store.Ref
}

type result struct {
	refusal *worker.Refusal
	event   string // empty: none
	events  int64  // of that type
	key     string
	subject string
	value   int64 // after the last event
	version int64 // after the last event; 0: it counts with no others

	recordKey string
}

// counters decides the commands of one transaction.
type counters struct {
	commands []*command // nil where it cannot be read
	results  []result
	known    map[string]*counter // by key; nil: there is none
	names    map[string]string   // the key of each name; empty: there is none
	made     map[string]string   // names to write
}

// Begin reads the commands.
func (c *counters) Begin(tx *store.Tx) {
	*c = counters{
		commands: make([]*command, tx.Len()), results: make([]result, tx.Len()),
		known: map[string]*counter{}, names: map[string]string{}, made: map[string]string{},
	}
	for i := range tx.Len() {
		if tx.Decided(i) {
			continue
		}
		if c.commands[i], c.results[i].refusal = read(tx.Command(i)); c.commands[i] != nil {
			tx.Name(i, c.commands[i].Key, cmp.Or(c.commands[i].Name, c.commands[i].Key))
		}
	}
}

// Decide loads all keys and names, then the keys of names, and decides.
func (c *counters) Decide(ctx context.Context, tx *store.Tx) error {
	keys, names := map[string]struct{}{}, map[string]struct{}{}
	for _, read := range c.commands {
		if read != nil {
			keys[read.Key], names[read.Name] = struct{}{}, struct{}{}
		}
	}
	if err := c.lock(ctx, tx, keys, names); err != nil {
		return err
	}
	for first := 0; ; {
		if err := c.load(ctx, tx, keys, names); err != nil {
			return err
		}
		if first = c.decide(tx, first, keys); first == tx.Len() {
			return nil
		}
	}
}

func sorted(set map[string]struct{}) []string { return slices.Sorted(maps.Keys(set)) }

func (c *counters) lock(ctx context.Context, tx *store.Tx, keys, names map[string]struct{}) error {
	if !tx.LockFirst() {
		return nil
	}
	return tx.Lock(ctx, `select from counters where key = any($1) or key in (select key from counter_names where name = any($2)) order by key for no key update`,
		sorted(keys), sorted(names))
}

func (c *counters) load(ctx context.Context, tx *store.Tx, keys, names map[string]struct{}) error {
	batch := &pgx.Batch{}
	batch.Queue(`select key, value, version, last_source, last_row, last_day from counters
		where key = any($1) or key in (select key from counter_names where name = any($2))`, sorted(keys), sorted(names))
	batch.Queue(`select name, key from counter_names where name = any($1)`, sorted(names))
	return tx.Load(ctx, batch, sorted(keys), sorted(names), func(results pgx.BatchResults) error {
		for key := range keys {
			if _, known := c.known[key]; !known {
				c.known[key] = nil
			}
		}
		rows, _ := results.Query()
		var key, name string
		var read counter
		source, row, day := read.last.Scan()
		if _, err := pgx.ForEachRow(rows, []any{&key, &read.value, &read.version, source, row, day}, func() error {
			if c.known[key] == nil {
				found := read
				found.read = found.version
				c.known[key] = &found
			}
			return nil
		}); err != nil {
			return err
		}
		rows, _ = results.Query()
		_, err := pgx.ForEachRow(rows, []any{&name, &key}, func() error { c.names[name] = key; return nil })
		return err
	})
}

// decide decides commands from the first on, until one needs a load.
func (c *counters) decide(tx *store.Tx, first int, keys map[string]struct{}) (next int) {
	for i := first; i < tx.Len(); i++ {
		read := c.commands[i]
		if read == nil {
			continue
		}
		key, creates := read.Key, ""
		switch {
		case tx.Command(i).Type == "Make":
			creates = read.Name
		case key == "":
			if key = c.names[read.Name]; key == "" {
				key = tx.HeldFor(read.Name)
			}
		}
		switch tx.Park(i, key, creates) {
		case store.Parked:
		case store.Asked:
			keys[key] = struct{}{}
			return i
		case store.Free:
			if tx.Command(i).Type == moved {
				c.follow(tx, i, key)
				continue
			}
			c.results[i] = c.apply(tx.Command(i).Type, key, read)
			if tx.Command(i).Type == "Flood" {
				tx.Cut(i + 1)
			}
		}
	}
	return tx.Len()
}

// follow takes an event of another service.
func (c *counters) follow(tx *store.Tx, i int, key string) {
	now, sequence := c.known[key], tx.Command(i).Sequence
	if now == nil || sequence <= now.value {
		tx.Ignore(i)
		return
	}
	now.value = sequence
	now.version++
	c.results[i] = result{key: key, subject: key, event: "Added", events: 1, value: now.value, version: now.version}
}

func (c *counters) apply(name, key string, read *command) result {
	r := result{key: key, subject: cmp.Or(read.Name, key)}
	refuse := func(reason, message string) result {
		r.refusal = &worker.Refusal{Reason: reason, Message: message}
		if name == "Add" {
			r.event, r.events = "Rejected", 1
		}
		return r
	}
	now := c.known[key]
	event, events := "Added", int64(1)
	switch {
	case name == "Refill" && now != nil:
		r.event, r.events, r.value, r.recordKey = "Restock", 1, read.N, read.Name
		return r
	case name == "Make" && c.names[read.Name] == key:
		return r
	case name == "Make" && c.names[read.Name] != "":
		return refuse("name_taken", fmt.Sprintf("name: %q is another counter's", read.Name))
	case name == "Make":
		if now == nil {
			now = &counter{}
			c.known[key] = now
		}
		c.names[read.Name], c.made[read.Name] = key, key
		event = "Made"
	case key == "":
		return refuse("unknown_name", fmt.Sprintf("name: there is no %q", read.Name))
	case now == nil:
		return refuse("unknown_key", fmt.Sprintf("key: there is no %q", key))
	case now.value+read.N < 0:
		return refuse("below_zero", fmt.Sprintf("n: %d is more than there is, %d", -read.N, now.value))
	case read.N == 0:
		return r
	case name == "Flood":
		events = read.N
	}
	now.value += read.N
	now.version += events
	r.event, r.events, r.value, r.version = event, events, now.value, now.version
	return r
}

// Outcome gives what a command came to.
func (c *counters) Outcome(i int) (refusal *worker.Refusal, events int) {
	return c.results[i].refusal, int(c.results[i].events)
}

// Event gives an event of a command.
func (c *counters) Event(i, n int, at store.Ref, value []byte) (store.Event, []byte) {
	r := &c.results[i]
	e := store.Event{Type: r.event, Key: r.key, Subject: r.subject}
	if r.refusal != nil {
		return e, fmt.Appendf(value, `{"key":%q,"reason":%q}`, r.key, r.refusal.Reason)
	}
	now := c.known[r.key]
	e.Last = now.last
	if r.event == "Restock" {
		e.RecordKey, e.Correlation, e.Also = r.recordKey, "refill of "+r.key, now.last
		return e, fmt.Appendf(value, `{"key":%q,"n":%d}`, r.key, r.value)
	}
	later := r.events - 1 - int64(n)
	e.Sequence, e.Previous = r.version-later, now.last
	now.last = at
	if r.event == "Made" {
		e.Note = fmt.Appendf(nil, `{"name":%q}`, r.subject)
	}
	return e, fmt.Appendf(value, `{"key":%q,"value":%d}`, r.key, r.value-later)
}

// Write writes all counters at the versions that were read.
func (c *counters) Write(p *store.Pipeline, _ *store.Tx) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(c.known)) {
		keys = append(keys, key)
		now := c.known[key]
		switch {
		case now == nil:
			p.Execute(`select expect_count((select count(*) from counters where key = $1), 0, 'counters that must not exist')`, key)
		case now.read == 0:
			p.Execute(`insert into counters values ($1, $2, $3, $4, $5, $6)`, key, now.value, now.version, now.last.Source, now.last.Row, now.last.Day())
		default:
			p.Execute(`with updated as (
				update counters set value = $2, version = $3, last_source = $4, last_row = $5, last_day = $6 where key = $1 and version = $7 returning 1)
				select expect_count((select count(*) from updated), 1, 'counters as they were read')`,
				key, now.value, now.version, now.last.Source, now.last.Row, now.last.Day(), now.read)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.made)) {
		p.Execute(`insert into counter_names values ($1, $2)`, name, c.made[name])
	}
	return keys
}

// Done forgets everything.
func (c *counters) Done(error) { *c = counters{} }
