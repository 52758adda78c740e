package store

import (
	"time"

	"allocation/outbox"
	"allocation/worker"
)

// parked is what a transaction parks, and what is parked no longer after it.
type parked struct {
	waiting []waiting
	holds   []hold
	decided []decided
	applied []*worker.Command // commands that wait no longer
	free    []string          // keys that are held no longer
	next    map[counted]int32 // the numbers of the next events of parked commands

	reread    *worker.Reread // a record batch that is read again; nil: none
	rereadRow int64          // of the outbox, that tells of it when it is done
}

// decided is a dead letter on which an operator decided.
type decided struct {
	command *worker.Command
	row     int64 // of the outbox, that tells of it
	event   int32 // the number of the command's next event
}

// waiting is a command that waits behind a held key.
type waiting struct {
	command *worker.Command
	source  int32 // by which it came
	event   int32 // the number of its next event
	key     string
	name    string // what it would create
	subject string // what it is about
}

// hold is a key that a failed command holds.
type hold struct {
	key, name string
	again     bool // it was held by another until now
	source    int32
	row       int64         // of the dead letter
	wait      time.Duration // for a worker that knows the command's type; 0: for an operator's decision
}

// counted is a command each time that its offset came by: its events share the numbers that it has
// then, whichever of its dead letters and of its waiting copies they come from.
type counted struct {
	source int32
	offset int64
	time   int32
}

// count has a parked command number its events on from those of the same command in the same
// transaction.
func (t *txRows) count(c *worker.Command, events int) {
	command := counted{c.Parked.From.ID, c.Offset, c.Parked.Event / worker.EventsEach}
	c.Parked.Event = max(c.Parked.Event, t.parked.next[command])
	if t.parked.next == nil {
		t.parked.next = map[counted]int32{}
	}
	t.parked.next[command] = c.Parked.Event + int32(events) //nolint:gosec // as in event
}

// unpark notes that a command with so many events is no longer parked, and tells Kafka
// what an operator decided of it. One of a record batch that is read again was parked nowhere.
func (t *txRows) unpark(moves []worker.PositionMove, c *worker.Command, events int) {
	switch {
	case c.Parked.Seq != 0:
		t.parked.applied = append(t.parked.applied, c)
	case c.Parked.Letter.Source != 0:
		row := t.decide(moves, c)
		t.parked.decided = append(t.parked.decided, decided{command: c, row: row, event: c.Parked.Event + int32(events)}) //nolint:gosec // as in event
	}
}

// decide tells Kafka what an operator decided, by the row whose number it gives.
func (t *txRows) decide(moves []worker.PositionMove, c *worker.Command) (row int64) {
	row = t.next(moves, c.Move)
	letter := &outbox.DeadLetter{Decision: outbox.Retried, Key: c.Key}
	if c.Parked.Discard {
		letter.Decision = outbox.Discarded
	}
	t.add(c.Move, outbox.Row{Number: row, Offset: c.Offset, From: from(moves, c), Cause: c.Cause, DeadLetter: letter}, beside{})
	return row
}

// from is the partition that a command came by, where it is not the one whose row tells of it.
func from(moves []worker.PositionMove, c *worker.Command) *outbox.Source {
	if c.Parked == nil || c.Parked.From.ID == moves[c.Move].Source.ID {
		return nil
	}
	return &c.Parked.From
}

// sourceOf is the number of the partition that a command came by.
func sourceOf(transaction *worker.Transaction, c *worker.Command) int32 {
	if c.Parked != nil {
		return c.Parked.From.ID
	}
	return transaction.Moves[c.Move].Source.ID
}

// firstEvent is the number of a command's next event.
func firstEvent(moves []worker.PositionMove, c *worker.Command) int32 {
	if c.Parked == nil {
		return moves[c.Move].Replay.FirstEvent(c.Offset)
	}
	return c.Parked.Event
}

// timesRetried is how often a command was retried, for the dead letter that it becomes now.
func timesRetried(c *worker.Command) int32 {
	switch {
	case c.Parked == nil:
		return 0
	case c.Parked.Letter.Source != 0:
		return c.Parked.Retries + 1
	}
	return c.Parked.Retries
}
