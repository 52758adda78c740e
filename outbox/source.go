package outbox

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// source is one incarnation of an open source: from Open to Close. Its goroutine (see run.go) is
// the only one that produces.
type source struct {
	Source
	relay  *Relay
	budget *Budget
	ctx    context.Context // ends with Close
	end    context.CancelFunc
	ended  chan struct{} // closed when the goroutine has returned
	wake   chan struct{} // holds one token: something changed

	// Of the goroutine alone.
	render       *renderer
	deferred     deferred
	deferredKeys int64 // as counted by the relay
	producer     *producer
	now          time.Time // when the rows at hand are produced

	mu        sync.Mutex
	acked     acked   // acked.low is the published row
	known     int64   // rows below are committed
	handed    int64   // rows from here on were handed over by Publish, and count in the budget since
	taken     int64   // rows below were produced or deferred since the last failure
	buffering bool    // rows handed over wait in the queue; otherwise they are read from the table
	queue     [][]Row // rows [taken, known) while buffering
	inFlight  int     // promises that have not returned
	failure   error   // of the first publish that failed; nothing is produced until all promises have returned
	closed    bool

	throttled    bool // the goroutine waits for half of the promises
	awaitsBudget bool // the goroutine waits for its budget, and for the last promise

	// What the budget counts of this source: rows handed over, rows read from the table that were
	// not handed over, and of both those in flight.
	unacked, drained, inFlightCost tally

	ages     []age
	flushers []flusher
	watched  int64           // the lowest row that another source waits for
	passed   map[int32]int64 // what other sources have published since the goroutine last looked
}

// age says since when a row waits, for the first row of each transaction.
type age struct {
	row   int64
	since time.Time
}

// flusher waits until all rows below one are acknowledged.
type flusher struct {
	row  int64
	done chan struct{}
}

// nothingWatched is above every row.
const nothingWatched = math.MaxInt64

var errGap = errors.New("rows are missing between those known and those handed over")

func newSource(r *Relay, s Source, budget *Budget, published, next int64) *source {
	ctx, end := context.WithCancel(r.ctx)
	return &source{
		Source: s, relay: r, budget: budget, ctx: ctx, end: end, ended: make(chan struct{}), wake: make(chan struct{}, 1),
		render: newRenderer(&r.envelope, s),
		acked:  acked{low: published}, known: next, handed: next, taken: published, buffering: published == next,
		watched: nothingWatched,
	}
}

func (s *source) signal() { kick(s.wake) }

// hand takes rows over that follow those known. Rows that are known already are left out.
func (s *source) hand(rows []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(rows) > 0 && rows[0].Number < s.known {
		rows = rows[1:]
	}
	if len(rows) == 0 || s.closed {
		return
	}
	if rows[0].Number > s.known {
		s.skip(rows)
	} else {
		s.take(rows)
	}
	s.known = rows[len(rows)-1].Number + 1
	s.note(rows[0].Number, time.Now())
	s.signal()
}

// take counts rows, and keeps them unless they will be read from the table. Called with mu held.
func (s *source) take(rows []Row) {
	cost := costOf(rows)
	s.unacked.add(cost)
	s.budget.take(cost)
	if s.buffering && s.failure == nil {
		s.queue = append(s.queue, rows)
	}
}

// skip leaves all that is not acknowledged to the table, because rows before these were never
// handed over. Called with mu held.
func (s *source) skip(rows []Row) {
	if s.failure == nil {
		s.failure = errGap
	}
	s.drained.add(s.unacked)
	s.unacked = tally{}
	s.handed = rows[len(rows)-1].Number + 1
}

// note remembers since when a row waits, in order of rows: those read from the table may come after
// newer ones that were handed over. Called with mu held.
func (s *source) note(row int64, since time.Time) {
	n := len(s.ages)
	switch {
	case n == 0 || row > s.ages[n-1].row:
		s.ages = append(s.ages, age{row, since})
	case row < s.ages[0].row:
		s.ages = slices.Insert(s.ages, 0, age{row, since})
	}
}

// notWrittenBefore is the time of a row's command. The table does not say when the row was written.
func notWrittenBefore(row *Row) time.Time {
	if ms := row.cause().Time; ms != NoTime {
		return time.UnixMilli(ms)
	}
	return time.Now()
}

// oldest says since when the first row waits that is not acknowledged.
func (s *source) oldest() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acked.low == s.known || len(s.ages) == 0 {
		return time.Time{}, false
	}
	return s.ages[0].since, true
}

// flush gives a channel that is closed when all rows known by now are acknowledged.
func (s *source) flush() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acked.low >= s.known {
		return closedChannel
	}
	f := flusher{s.known, make(chan struct{})}
	s.flushers = append(s.flushers, f)
	return f.done
}

// close forgets the source, except what is in flight, which is memory until its promises have
// returned.
func (s *source) close() {
	s.mu.Lock()
	s.closed = true
	rest := s.unacked
	rest.add(s.drained)
	rest.sub(s.inFlightCost)
	s.queue, s.ages = nil, nil
	s.mu.Unlock()
	s.budget.give(rest)
	s.end()
	<-s.ended
}
