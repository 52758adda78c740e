package outbox

import (
	"sort"
	"time"
)

// begin counts a delivery, unless its source has failed or is closed.
func (s *source) begin(d *delivery) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil || s.closed {
		return false
	}
	s.inFlight += d.left
	s.inFlightCost.add(d.cost)
	return true
}

// fail has nothing more produced until all promises have returned.
func (s *source) fail(err error) {
	s.mu.Lock()
	if s.failure == nil {
		s.failure = err
	}
	s.mu.Unlock()
	s.signal()
}

// completed counts a promise that returned. A row is acknowledged when it is in all of its topics.
func (s *source) completed(d *delivery, err error) {
	s.mu.Lock()
	s.inFlight--
	d.left--
	if err != nil {
		d.failed = err
		if s.failure == nil {
			s.failure = err
		}
	}
	acknowledged := d.left == 0 && d.failed == nil
	free := d.left == 0 && (s.closed || acknowledged)
	if d.left == 0 {
		s.inFlightCost.sub(d.cost)
	}
	if free {
		s.budget.give(d.cost) // before a Flush returns
	}
	watched := acknowledged && !s.closed && s.acknowledge(d)
	wake := err != nil || s.throttled && s.inFlight <= maxInFlight/2 || s.inFlight == 0 && (s.failure != nil || s.awaitsBudget)
	s.mu.Unlock()

	if acknowledged {
		s.relay.metrics.acknowledged(time.Now(), d.produced, d.cause.Time)
	}
	if wake {
		s.signal()
	}
	if watched {
		s.relay.announce(s)
	}
}

// acknowledge marks a row, and reports whether a row that others wait for was passed. Called with
// mu held.
func (s *source) acknowledge(d *delivery) bool {
	if d.number < s.handed {
		s.drained.sub(d.cost)
	} else {
		s.unacked.sub(d.cost)
	}
	if !s.acked.mark(d.number) {
		return false
	}
	low := s.acked.low
	for len(s.ages) > 1 && s.ages[1].row <= low {
		s.ages = s.ages[1:]
	}
	n := sort.Search(len(s.flushers), func(i int) bool { return s.flushers[i].row > low })
	for _, f := range s.flushers[:n] {
		close(f.done)
	}
	s.flushers = s.flushers[n:]
	return low > s.watched
}

// watch asks to be announced when a row is published, and reports whether it is already, and
// whether it is known here at all.
func (s *source) watch(row int64) (published, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acked.low > row {
		return true, true
	}
	s.watched = min(s.watched, row)
	return false, row < s.known && !s.closed
}

// pass tells a source that waits how far another one is published.
func (s *source) pass(source int32, published int64) {
	s.mu.Lock()
	if s.passed == nil {
		s.passed = map[int32]int64{}
	}
	s.passed[source] = max(s.passed[source], published)
	s.mu.Unlock()
	s.signal()
}
