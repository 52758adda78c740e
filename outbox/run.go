package outbox

import (
	"fmt"
	"time"
)

// run is the goroutine of a source: it publishes until a publish fails, waits until nothing of the
// source is in flight, and begins again from the table.
func (s *source) run() {
	defer close(s.ended)
	defer s.forgetDeferred()
	wait := backoff{pace: s.relay.pace}
	for {
		before := s.published()
		s.publish()
		if !s.settle() {
			return
		}
		if s.published() > before {
			wait.reset()
		}
		if !pause(s.ctx, wait.next()) {
			return
		}
	}
}

func (s *source) published() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked.low
}

// publish produces what there is to produce, until a publish fails or the source is closed.
func (s *source) publish() {
	s.producer = s.relay.producer.Load()
	table := backoff{pace: s.relay.pace}
	for s.ctx.Err() == nil && s.release() {
		batches, from, to, ok := s.next()
		switch {
		case !ok:
			return
		case from < to:
			s.drain(from, to, &table)
		case len(batches) == 0:
			s.wait(nil)
		}
		for _, rows := range batches {
			if !s.send(rows, false) {
				return
			}
		}
	}
}

// next takes the rows that were handed over, or says which to read from the table: a source keeps
// what is handed over only once the table has no more to give. It is not ok when a publish has
// failed.
func (s *source) next() (batches [][]Row, from, to int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, 0, 0, false
	}
	if !s.buffering && s.taken < s.known {
		return nil, s.taken, s.known, true
	}
	s.buffering = true
	batches, s.queue = s.queue, nil
	s.taken = s.known
	return batches, 0, 0, true
}

// wait returns when something changed, or when there is room.
func (s *source) wait(freed <-chan struct{}) {
	select {
	case <-s.wake:
	case <-freed:
	case <-s.ctx.Done():
	}
}

// drain reads a chunk from the table and produces it. It waits for its budget as long as the source
// itself has something in memory; without, one chunk may pass, or sources that wait for each
// other's rows could wait for each other's budget.
func (s *source) drain(from, to int64, table *backoff) {
	if freed := s.budget.waitable(); freed != nil && s.waitsForBudget() {
		s.wait(freed)
		return
	}
	rows, err := s.relay.table.Rows(s.ctx, s.Source, from, to)
	if err == nil {
		err = checkRows(rows, from, to)
	}
	if err != nil {
		if s.ctx.Err() == nil {
			s.relay.health.tableFailed("drain", err)
			pause(s.ctx, table.next())
		}
		return
	}
	s.relay.health.tableAnswered()
	table.reset()
	s.count(rows)
	s.send(rows, true)
}

func (s *source) waitsForBudget() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awaitsBudget = s.inFlight > 0 || s.deferred.rows > 0
	return s.awaitsBudget
}

// checkRows refuses a read that would leave rows out: they would never be published.
func checkRows(rows []Row, from, to int64) error {
	if len(rows) == 0 {
		return fmt.Errorf("no rows from %d to %d", from, to)
	}
	for i := range rows {
		if want := from + int64(i); rows[i].Number != want || want >= to {
			return fmt.Errorf("row %d where %d to %d were asked for and %d comes next", rows[i].Number, from, to, want)
		}
	}
	return nil
}

// count adds a chunk to the budget. Rows that were handed over are in it already.
func (s *source) count(rows []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.awaitsBudget = false
	s.taken = rows[len(rows)-1].Number + 1
	s.note(rows[0].Number, notWrittenBefore(&rows[0]))
	old := max(0, min(s.handed-rows[0].Number, int64(len(rows))))
	cost := costOf(rows[:old])
	s.drained.add(cost)
	s.budget.take(cost)
}

// Rows of a source in one piece of more than pacedAbove are produced in slices of paceEvery, with a
// pause after each. In one go they would keep Kafka, its consumers and this process busy, and the
// few rows of other sources would come too late (docs/performance.md). Transactions of the usual
// size have fewer rows. A backlog keeps its speed.
const (
	pacedAbove = 5_000
	paceEvery  = 250
	pacePause  = 2 * time.Millisecond
)

// send produces rows in order, except those that are deferred. After a failure some rows may be
// acknowledged already; they are left out. It reports false when a publish has failed.
func (s *source) send(rows []Row, again bool) bool {
	s.now = time.Now()
	paced := len(rows) > pacedAbove
	for i := range rows {
		row := &rows[i]
		if again && s.has(row.Number) || s.deferRow(row) {
			continue
		}
		if !s.deliver(row) {
			return false
		}
		if s.throttle() || paced && i%paceEvery == 0 && pause(s.ctx, pacePause) {
			s.now = time.Now()
		}
	}
	return true
}

// maxInFlight bounds the promises of a source that have not returned. The client sends the records
// of all partitions together. A source that handed over a hundred thousand rows at once would
// otherwise be ahead of the few rows of the others.
const maxInFlight = 1000

// throttle waits until half of the promises have returned, if there are too many, and reports
// whether it did. A source that is closed does not wait, and the promises of one that has failed
// return soon: the client fails all that is buffered.
func (s *source) throttle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight < maxInFlight {
		return false
	}
	s.throttled = true
	for s.inFlight > maxInFlight/2 && !s.closed {
		s.mu.Unlock()
		s.wait(nil)
		s.mu.Lock()
	}
	s.throttled = false
	return true
}

func (s *source) has(row int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked.has(row)
}

// settle waits until nothing is in flight, and forgets what was in memory. It reports false when
// the source was closed.
func (s *source) settle() bool {
	for {
		s.mu.Lock()
		if s.closed || s.ctx.Err() != nil {
			s.mu.Unlock()
			return false
		}
		if s.inFlight == 0 {
			break
		}
		s.mu.Unlock()
		s.wait(nil)
	}
	s.relay.metrics.retried("kafka", reason(s.failure))
	s.budget.give(s.drained)
	s.drained = tally{}
	s.failure, s.queue, s.buffering, s.passed = nil, nil, false, nil
	s.taken = s.acked.low
	s.mu.Unlock()
	s.forgetDeferred()
	return true
}
