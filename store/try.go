package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// Tried is what a command would come to.
type Tried struct {
	Refusal *worker.Refusal  // why it would be refused; nil: it would not be
	Waits   *HeldKey         // the held key behind which it would wait; nil: there is none
	Events  int              // how many it would have
	ByType  map[string]int64 // how many of each type
	First   []EventView      // the first of them
}

// Deciding about a million lines takes longer than a session may be idle otherwise.
const whileDecidingSQL = `set local idle_in_transaction_session_timeout = '1min'`

// Try decides commands, in order, as if they came now, and says what each would come to. It decides
// in a transaction that only reads and sees one moment of the database, so it writes nothing and
// nobody waits for it. It gives so many events of each command at most, and counts the others.
//
// There are fewer answers than commands where these would be too much for one transaction.
func (s *Store) Try(ctx context.Context, commands []worker.Command, events int) (answers []Tried, err error) {
	// Nothing is numbered and nothing moves, but each command has to have come by a partition.
	transaction := worker.Transaction{Commands: commands, Moves: make([]worker.PositionMove, 1)}
	tx := newTx(s, nil, transaction, s.newCache())
	tx.tries = true
	tx.cache.aggregate.Begin(tx)
	var held []HeldKey
	err = s.Snapshot(ctx, func(t pgx.Tx) (err error) {
		tx.conn = t.Conn()
		if _, err := t.Exec(ctx, whileDecidingSQL); err != nil {
			return err
		}
		if err := tx.cache.aggregate.Decide(ctx, tx); err != nil {
			return err
		}
		if len(tx.waits) > 0 {
			held, err = heldKeys(ctx, t, slices.Collect(maps.Values(tx.waits)))
		}
		return err
	})
	if err != nil {
		return nil, readError("try commands", err)
	}
	for i := range tx.Len() {
		answer := tx.tried(i, events)
		if at := slices.IndexFunc(held, func(h HeldKey) bool { return h.Key == tx.waits[i] }); at >= 0 {
			answer.Waits = &held[at]
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// tried is what a command came to, with its first events.
func (tx *Tx) tried(i, events int) Tried {
	refusal, all := tx.outcome(i)
	t := Tried{Refusal: refusal, Events: all, ByType: map[string]int64{}}
	cause := tx.transaction.Commands[i].Cause
	var first FirstEvent
	var value []byte
	for n := range all {
		var e Event
		e, value = tx.cache.aggregate.Event(i, n, Ref{}, value[:0])
		t.ByType[e.Type]++
		if n == 0 {
			first = FirstEvent{Type: e.Type, Data: bytes.Clone(value), Note: e.Note}
		}
		if n < events {
			t.First = append(t.First, EventView{
				Type: e.Type, Sequence: e.Sequence, Key: e.Key, Subject: e.Subject, Data: bytes.Clone(value), Note: e.Note,
				Cause: CauseView{CommandID: cause.CommandID, CorrelationID: cmp.Or(e.Correlation, cause.CorrelationID), First: first},
			})
		}
	}
	return t
}
