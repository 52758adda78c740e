package store

import (
	"allocation/outbox"
	"allocation/worker"
)

// kept is what a transaction begins to keep, and what it keeps no longer.
type kept struct {
	waiting []waiting
	holds   []hold
	decided []decided
	applied []*worker.Command // commands that wait no longer
	free    []string          // keys that are held no longer
	next    map[counted]int32 // the numbers of the next events of kept commands

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
}

// hold is a key that a failed command holds.
type hold struct {
	key, name string
	again     bool // it was held by another until now
	source    int32
	row       int64 // of the dead letter
}

func (k *kept) wait(c *worker.Command, source, event int32, key, creates string) {
	k.waiting = append(k.waiting, waiting{command: c, source: source, event: event, key: key, name: creates})
}

func (k *kept) hold(c *worker.Command, key string, source int32, row int64, creates string) {
	k.holds = append(k.holds, hold{
		key: key, name: creates, again: c.Kept != nil && c.Kept.HeldKey == key, source: source, row: row,
	})
}

// counted is a command each time that its offset came by: its events share the numbers that it has
// then, whichever of its dead letters and of its waiting copies they come from.
type counted struct {
	source int32
	offset int64
	time   int32
}

// count has a kept command number its events on from those of the same command in the same
// transaction.
func (l *ledger) count(c *worker.Command, events int) {
	command := counted{c.Kept.From.ID, c.Offset, c.Kept.Event / worker.EventsEach}
	c.Kept.Event = max(c.Kept.Event, l.kept.next[command])
	if l.kept.next == nil {
		l.kept.next = map[counted]int32{}
	}
	l.kept.next[command] = c.Kept.Event + int32(events) //nolint:gosec // as in event
}

// unkeep notes that a command with so many events is no longer kept where it was, and tells Kafka
// what an operator decided of it. One of a record batch that is read again was kept nowhere.
func (l *ledger) unkeep(moves []worker.PositionMove, c *worker.Command, events int) {
	switch {
	case c.Kept.Seq != 0:
		l.kept.applied = append(l.kept.applied, c)
	case c.Kept.Letter.Source != 0:
		row := l.decide(moves, c)
		l.kept.decided = append(l.kept.decided, decided{command: c, row: row, event: c.Kept.Event + int32(events)}) //nolint:gosec // as in event
	}
}

// decide tells Kafka what an operator decided, by the row whose number it gives.
func (l *ledger) decide(moves []worker.PositionMove, c *worker.Command) (row int64) {
	row = l.next(moves, c.Move)
	letter := &outbox.DeadLetter{Decision: outbox.Retried, Key: c.Key}
	if c.Kept.Discard {
		letter.Decision = outbox.Discarded
	}
	l.add(c.Move, outbox.Row{Number: row, Offset: c.Offset, From: from(moves, c), Cause: c.Cause, DeadLetter: letter}, Ref{})
	return row
}

// from is the partition that a command came by, where it is not the one whose row tells of it.
func from(moves []worker.PositionMove, c *worker.Command) *outbox.Source {
	if c.Kept == nil || c.Kept.From.ID == moves[c.Move].Source.ID {
		return nil
	}
	return &c.Kept.From
}

// sourceOf is the number of the partition that a command came by.
func sourceOf(transaction *worker.Transaction, c *worker.Command) int32 {
	if c.Kept != nil {
		return c.Kept.From.ID
	}
	return transaction.Moves[c.Move].Source.ID
}

// firstEvent is the number of a command's next event.
func firstEvent(moves []worker.PositionMove, c *worker.Command) int32 {
	if c.Kept == nil {
		return moves[c.Move].Replay.FirstEvent(c.Offset)
	}
	return c.Kept.Event
}

// retries is how often a command was retried, for the dead letter that it becomes now.
func retries(c *worker.Command) int32 {
	switch {
	case c.Kept == nil:
		return 0
	case c.Kept.Letter.Source != 0:
		return c.Kept.Retries + 1
	}
	return c.Kept.Retries
}
