package worker

import (
	"time"
)

// redrive is about the commands that are parked for a partition: dead letters on which an operator
// decided, and what waits behind held keys. The partition's applier applies them in transactions of
// their own, in turn with the partition's records.
type redrive struct {
	backlog bool // there is something to apply
	held    int  // keys that dead letters of this partition hold

	parked isolation
	ended  bool // the last attempt ended, with an error

	again *reread  // a batch of records that is read again; nil: none
	begun LetterID // the last that was
}

// isolation looks for the one among parked commands that fails.
type isolation struct {
	limit    int        // most commands of the next transaction
	suspects int        // commands of which one is at fault
	failures int        // in a row, of one alone
	failure  string     // why it is held again; empty: it is not
	head     parkedHead // which it is
	at       time.Time  // not before this is it tried again
}

// parkedHead names a parked command by where it came from.
type parkedHead struct {
	source int32
	offset int64
}

func headOf(records []record) (h parkedHead) {
	if len(records) > 0 {
		h = parkedHead{records[0].parked.From.ID, records[0].Offset}
	}
	return h
}

const (
	maxRedrive = 500 // commands of a transaction

	// A transaction of parked commands that was begun so often and never ended is taken one by one;
	// one command that was, is held again.
	redriveAlone = 3
	redriveFatal = 6
)

// due reports whether there is something to apply.
func (r *redrive) due() bool { return r.backlog || r.again.isReady() }

// next is the isolation that the next transaction of parked commands belongs to.
func (r *redrive) next() *isolation {
	if r.again.isReady() {
		return &r.again.isolation
	}
	return &r.parked
}

// applied notes that so many parked commands were applied.
func (i *isolation) applied(n int) {
	*i = isolation{limit: max(1, i.limit), suspects: max(0, i.suspects-n), head: i.head}
	if i.suspects == 0 {
		i.limit = min(2*i.limit, maxRedrive)
	}
}

// standAside has fewer commands tried a little later, since somebody has locked what one of them
// needs.
func (i *isolation) standAside(commands int, now time.Time) {
	i.limit, i.at = max(1, commands/2), now.Add(lockedAgain)
}

// failed looks for the command at fault. One that fails alone is held, as if it had just come. It
// reports whether one failed alone.
func (i *isolation) failed(records []record, err error, mayHold bool, now time.Time) (alone bool) {
	if n := len(records); n > 1 {
		i.suspects, i.limit = n, max(1, n/faultShrink)
		return false
	}
	i.suspects, i.limit = 0, 1
	i.failures++
	i.at = now.Add(backoff(i.failures, 100*time.Millisecond, 30*time.Second))
	if i.failures >= maxFailures && mayHold {
		i.failure, i.head = failed(i.failures, err), headOf(records)
	}
	return true
}
