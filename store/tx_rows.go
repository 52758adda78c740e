package store

import (
	"fmt"
	"math"

	"allocation/outbox"
	"allocation/worker"
)

// txRows numbers the outbox rows of a transaction, and links each to its predecessors.
type txRows struct {
	today    day            // of the rows that it writes
	rows     [][]outbox.Row // by move
	outcomes []worker.Outcome
	beside   [][]beside // by move, as rows
	refused  []refused
	parked   parked
	requests []int  // the commands that are to be done once, in order
	linked   bool   // a row has a value in linkFields
	values   []byte // where the events' data are written, one behind the other
}

// beside is what the outbox keeps of an event for people.
type beside struct {
	back    int32    // how many rows before it the key's last event is; 0: elsewhere, or nowhere
	threads *threads // nil: none, and no note, as most have it
}

// threads are the events that an event continues, and its note.
type threads struct {
	previous, also Ref
	note           []byte
}

// refused is a dead letter, and what is known of the command besides its bytes.
type refused struct {
	move    int
	row     int64
	command *worker.Command
	letter  *outbox.DeadLetter
	key     string // that it is about, as far as the command says it
	event   int    // the number of the command's next event
	subject string // that it is about
}

func newTxRows(tx *Tx) *txRows {
	transaction := &tx.transaction
	t := &txRows{
		today:    tx.cache.today(),
		rows:     make([][]outbox.Row, len(transaction.Moves)),
		beside:   make([][]beside, len(transaction.Moves)),
		outcomes: make([]worker.Outcome, len(transaction.Commands)),
	}
	t.reserve(tx)
	for i := range transaction.Commands {
		t.write(tx, i)
		if tx.notes(i) {
			t.requests = append(t.requests, i)
		}
	}
	t.reread(transaction.Moves, transaction.Reread)
	t.parked.free = transaction.Free
	return t
}

// outcome is what a command came to.
func (tx *Tx) outcome(i int) (refusal *worker.Refusal, events int) {
	if repeat, repeated := tx.repeats[i]; repeated {
		return repeat.refusal, 0
	}
	c := &tx.transaction.Commands[i]
	switch {
	case c.Parked != nil && c.Parked.Discard, c.Ignored, tx.waits[i] != "":
		return nil, 0
	case c.Failure != "":
		return &worker.Refusal{Reason: reasonInternal, Message: c.Failure}, 0
	case c.Wait > 0 && tx.holds[i] != "":
		return &worker.Refusal{Reason: worker.ReasonNewer, Message: fmt.Sprintf("type %q is of a later version than this worker knows: the command waits for a newer worker", c.Newer)}, 0
	case c.Refusal != nil:
		return c.Refusal, 0
	}
	return tx.cache.aggregate.Outcome(i)
}

// reserve allocates the rows: one for each event, refusal and parked command.
func (t *txRows) reserve(tx *Tx) {
	counts := make([]int, len(tx.transaction.Moves))
	for i := range tx.transaction.Commands {
		c := &tx.transaction.Commands[i]
		refusal, events := tx.outcome(i)
		counts[c.Move] += events
		if refusal != nil || c.Parked != nil {
			counts[c.Move]++
		}
	}
	for move, n := range counts {
		t.rows[move], t.beside[move] = make([]outbox.Row, 0, n), make([]beside, 0, n)
	}
}

// write writes down what became of a command.
func (t *txRows) write(tx *Tx, i int) {
	c := &tx.transaction.Commands[i]
	refusal, events := tx.outcome(i)
	if c.Parked != nil {
		t.count(c, events)
		t.unpark(tx.transaction.Moves, c, events)
	}
	switch waits, holds := tx.waits[i], tx.holds[i]; {
	case c.Parked != nil && c.Parked.Discard:
		t.outcomes[i] = worker.Outcome{Result: worker.Discarded}
	case waits != "":
		t.outcomes[i] = worker.Outcome{Result: worker.Held}
		t.parked.waiting = append(t.parked.waiting, waiting{
			command: c, source: sourceOf(&tx.transaction, c), event: firstEvent(tx.transaction.Moves, c), key: waits, name: tx.made[i], subject: tx.subjects[i],
		})
	default:
		row := t.record(tx, i, refusal, events)
		if holds != "" {
			t.refused[len(t.refused)-1].key = holds
			again := c.Parked != nil && c.Parked.HeldKey == holds
			t.parked.holds = append(t.parked.holds, hold{
				key: holds, name: tx.made[i], again: again, source: tx.transaction.Moves[c.Move].Source.ID, row: row, wait: c.Wait,
			})
			if c.Wait > 0 {
				t.outcomes[i] = worker.Outcome{Result: worker.Held}
			}
		}
	}
}

// record writes down what a command did, and gives the number of its first row.
func (t *txRows) record(tx *Tx, i int, refusal *worker.Refusal, events int) (row int64) {
	c := &tx.transaction.Commands[i]
	row = t.next(tx.transaction.Moves, c.Move)
	switch {
	case refusal != nil:
		t.outcomes[i] = worker.Outcome{Result: worker.Refused, Reason: refusal.Reason}
		t.refuse(tx, i, refusal, events)
	case tx.ignores(i):
		t.outcomes[i] = worker.Outcome{Result: worker.Ignored}
	case events == 0:
		t.outcomes[i] = worker.Outcome{Result: worker.NoEffect}
	default:
		t.outcomes[i] = worker.Outcome{Result: worker.Changed}
	}
	var pacer Pacer
	for n := range events {
		pacer.Row()
		t.event(tx, i, n)
	}
	return row
}

const (
	valuesAtOnce = 16 << 10 // bytes of events' values that share their memory
	defaultValue = 512      // more than nearly all have; a larger one moves by itself
)

func (t *txRows) event(tx *Tx, i, n int) {
	c, moves := &tx.transaction.Commands[i], tx.transaction.Moves
	if cap(t.values)-len(t.values) < defaultValue {
		t.values = make([]byte, 0, valuesAtOnce)
	}
	at := Ref{Source: moves[c.Move].Source.ID, Row: t.next(moves, c.Move), day: t.today}
	start := len(t.values)
	e, values := tx.cache.aggregate.Event(i, n, at, t.values)
	t.values = values
	row := outbox.Row{
		Number: at.Row, Offset: c.Offset, From: from(moves, c),
		Event: firstEvent(moves, c) + int32(n), //nolint:gosec // a command has no more events than fit into memory
		Type:  e.Type, Key: e.Key, Subject: e.Subject, Value: values[start:len(values):len(values)], Sequence: e.Sequence,
		RecordKey: e.RecordKey, Cause: correlated(c.Cause, e.Correlation),
	}
	var kept beside
	if e.Previous.Source > 0 || e.Also.Source > 0 || e.Note != nil {
		kept.threads = &threads{previous: e.Previous, also: e.Also, note: e.Note}
	}
	switch back := at.Row - e.Last.Row; {
	case e.Last.Source != at.Source:
		row.After = e.Last.predecessor()
	case back <= math.MaxInt32: // else the chain ends here
		kept.back = int32(back) //nolint:gosec // checked
	}
	t.add(c.Move, row, kept)
}

// correlated is the cause with another correlation, where an event has one of its own.
func correlated(cause *outbox.Cause, correlation string) *outbox.Cause {
	if correlation == "" {
		return cause
	}
	own := *cause
	own.CorrelationID = correlation
	return &own
}

func (t *txRows) refuse(tx *Tx, i int, r *worker.Refusal, events int) {
	c, moves := &tx.transaction.Commands[i], tx.transaction.Moves
	letter := &outbox.DeadLetter{Reason: r.Reason, Message: r.Message, Key: c.Key, Value: c.Value, Headers: c.Headers, Batch: c.Batch}
	row := outbox.Row{Number: t.next(moves, c.Move), Offset: c.Offset, From: from(moves, c), Cause: c.Cause, DeadLetter: letter}
	t.refused = append(t.refused, refused{
		move: c.Move, row: row.Number, command: c, letter: letter, key: tx.named[i], event: int(firstEvent(moves, c)) + events, subject: tx.subjects[i],
	})
	t.add(c.Move, row, beside{})
}

func (t *txRows) next(moves []worker.PositionMove, move int) int64 {
	return moves[move].NextRow + int64(len(t.rows[move]))
}

func (t *txRows) add(move int, row outbox.Row, kept beside) {
	if row.After.Source > 0 || row.From != nil || row.Cause.TraceParent != "" || row.RecordKey != "" || kept.threads != nil {
		t.linked = true
	}
	t.rows[move] = append(t.rows[move], row)
	t.beside[move] = append(t.beside[move], kept)
}
