package outbox

import (
	"sort"
	"time"
)

// takeOff counts a flight, unless its source has failed or is closed.
func (s *source) takeOff(f *flight) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil || s.closed {
		return false
	}
	s.out += f.left
	s.flying.add(f.cost)
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

// landed counts a promise that returned. A row is acknowledged when it is in all of its topics.
func (s *source) landed(f *flight, err error) {
	s.mu.Lock()
	s.out--
	f.left--
	if err != nil {
		f.failed = err
		if s.failure == nil {
			s.failure = err
		}
	}
	acknowledged := f.left == 0 && f.failed == nil
	free := f.left == 0 && (s.closed || acknowledged)
	if f.left == 0 {
		s.flying.sub(f.cost)
	}
	if free {
		s.budget.give(f.cost) // before a Flush returns
	}
	watched := acknowledged && !s.closed && s.acknowledge(f)
	wake := err != nil || s.thins && s.out <= mostInAir/2 || s.out == 0 && (s.failure != nil || s.awaitsBudget)
	s.mu.Unlock()

	if acknowledged {
		s.relay.metrics.acknowledged(time.Now(), f.produced, f.time)
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
func (s *source) acknowledge(f *flight) bool {
	if f.number < s.handed {
		s.drained.sub(f.cost)
	} else {
		s.unacked.sub(f.cost)
	}
	if !s.acked.mark(f.number) {
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
