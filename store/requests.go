package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// RequestsKept is for how long it is known what became of a command that is to be done once. After
// that it is done again, should it come again.
const RequestsKept = 48 * time.Hour

// Request is what became of a command that is to be done once.
type Request struct {
	ID      string
	Body    []byte // see BodyHash
	Outcome string // a worker.Result as text
	Reason  string // of a refusal, or of a command that holds its key
	Message string
	Key     string // that the command is about; empty where that could not be told
	Decided time.Time
}

// BodyHash tells commands with the same id apart: by their type without its prefix, and their data
// as they came.
func BodyHash(commandType string, data []byte) []byte {
	hash := sha256.New()
	fmt.Fprintf(hash, "%d:%s", len(commandType), commandType)
	hash.Write(data)
	return hash.Sum(nil)
}

// bodyOf is the hash of a command, and the same in a worker that does not know its type yet.
func bodyOf(c *worker.Command) []byte {
	name := c.Type
	if c.Newer != "" { // family.v2.Add, which others know as v2.Add
		name = c.Newer[strings.LastIndexByte(c.Newer[:strings.LastIndexByte(c.Newer, '.')], '.')+1:]
	}
	return BodyHash(name, c.Data)
}

const requestsSQL = `
select id, body, outcome, coalesce(reason, ''), coalesce(message, ''), coalesce(key, ''), decided_at from requests where id = any($1)`

// Requests are those of some ids that a worker has decided.
func (s *Store) Requests(ctx context.Context, ids []string) ([]Request, error) {
	return list(ctx, s, "read requests", pgx.RowToStructByPos[Request], requestsSQL, ids)
}

const dropRequestsSQL = `
delete from requests where id in (
    select id from requests where decided_at < now() - $1 * interval '1 second' and outcome <> 'held' order by decided_at limit $2 for update skip locked)`

// dropAtOnce bounds what one statement deletes.
const dropAtOnce = 5_000

// DropRequests forgets requests that were decided longer than RequestsKept ago. Those that still
// wait for a person are kept. It returns how many.
func (s *Store) DropRequests(ctx context.Context) (dropped int64, err error) {
	for {
		n, err := s.dropRequests(ctx)
		if dropped += n; err != nil || n < dropAtOnce {
			return dropped, err
		}
	}
}

func (s *Store) dropRequests(ctx context.Context) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tag, err := s.pool.Exec(ctx, dropRequestsSQL, RequestsKept.Seconds(), dropAtOnce)
	return tag.RowsAffected(), readError("drop old requests", err)
}

// repeat is a command that came before. It has no effect, or is refused where another one had its
// id.
type repeat struct{ refusal *worker.Refusal }

func repeatOf(id string, body, earlier []byte) repeat {
	if bytes.Equal(body, earlier) {
		return repeat{}
	}
	return repeat{&worker.Refusal{Reason: worker.ReasonIDReused, Message: fmt.Sprintf("the id %q was used for another command: a command that is to be done once must have an id of its own", id)}}
}

// isNew reports whether a command comes from a topic, and not from where it was parked.
func isNew(c *worker.Command) bool {
	return c.Parked == nil || c.Parked.Seq == 0 && c.Parked.Letter.Source == 0
}

// readRepeats finds commands that are to be done once and came before, or another with their id.
// Where none is to be done once, nothing is asked. It is read without locks: the write finds out
// whether another transaction was first.
func (tx *Tx) readRepeats(ctx context.Context) error {
	var ids []string
	for i := range tx.transaction.Commands {
		if c := &tx.transaction.Commands[i]; c.Once {
			ids = append(ids, c.Cause.CommandID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, _ := tx.conn.Query(ctx, requestsSQL, ids) // its error is that of the rows, too
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Request])
	if err != nil {
		return readError("read requests", err)
	}
	tx.markRepeats(found)
	return nil
}

func (tx *Tx) markRepeats(found []Request) {
	bodies := map[string][]byte{}
	for i := range found {
		bodies[found[i].ID] = found[i].Body
	}
	tx.repeats = map[int]repeat{}
	for i := range tx.transaction.Commands {
		c := &tx.transaction.Commands[i]
		if !c.Once {
			continue
		}
		id, body := c.Cause.CommandID, bodyOf(c)
		earlier, known := bodies[id]
		switch {
		case !known:
			bodies[id] = body
		case isNew(c) || !bytes.Equal(body, earlier): // else it is the first one, which was parked
			tx.repeats[i] = repeatOf(id, body, earlier)
		}
	}
}

// notes reports whether it is to be kept what became of a command.
func (tx *Tx) notes(i int) bool {
	if !tx.transaction.Commands[i].Once {
		return false
	}
	_, repeated := tx.repeats[i]
	return !repeated
}

const (
	// A unique violation is a conflict: another transaction was first.
	insertRequestsSQL = `
insert into requests (id, body, outcome, reason, message, key)
select id, body, outcome, nullif(reason, ''), nullif(message, ''), nullif(key, '')
from unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[]) v (id, body, outcome, reason, message, key) order by id`

	updateRequestsSQL = insertRequestsSQL + `
on conflict (id) do update set outcome = excluded.outcome, reason = excluded.reason, message = excluded.message, decided_at = now()`
)

// queueRequests writes what became of commands that are to be done once. Of what was parked there
// is a row already, unless it is too old.
func queueRequests(p *Pipeline, tx *Tx, t *txRows) {
	var first, again []Request
	for _, i := range t.requests {
		r := t.request(tx, i)
		if isNew(tx.Command(i)) {
			first = append(first, r)
		} else {
			again = append(again, r)
		}
	}
	executeRequests(p, insertRequestsSQL, first)
	executeRequests(p, updateRequestsSQL, lastOfEach(again))
}

// lastOfEach leaves out what a later one of the same id replaces.
func lastOfEach(all []Request) []Request {
	seen := map[string]bool{}
	var last []Request
	for _, r := range slices.Backward(all) {
		if !seen[r.ID] {
			last = append(last, r)
		}
		seen[r.ID] = true
	}
	return last
}

func (t *txRows) request(tx *Tx, i int) Request {
	c := tx.Command(i)
	r := Request{ID: c.Cause.CommandID, Body: bodyOf(c), Outcome: t.outcomes[i].Result.String(), Key: cmp.Or(tx.keys[i], tx.named[i])}
	if tx.holds[i] != "" || tx.waits[i] != "" {
		r.Outcome = worker.Held.String()
	}
	if refusal, _ := tx.outcome(i); refusal != nil {
		r.Reason, r.Message = refusal.Reason, refusal.Message
	}
	return r
}

func executeRequests(p *Pipeline, sql string, requests []Request) {
	n := len(requests)
	if n == 0 {
		return
	}
	ids, bodies, outcomes := make([]string, n), make([][]byte, n), make([]string, n)
	reasons, messages, keys := make([]string, n), make([]string, n), make([]string, n)
	for i := range requests {
		r := &requests[i]
		ids[i], bodies[i], outcomes[i] = r.ID, r.Body, r.Outcome
		reasons[i], messages[i], keys[i] = r.Reason, r.Message, r.Key
	}
	p.Execute(sql, ids, bodies, outcomes, reasons, messages, keys)
}
