package outbox

// hold keeps a row back when its predecessor is not acknowledged, or when an earlier row of its key
// is held. Dead letters have neither.
func (s *source) hold(row *Row) bool {
	if row.DeadLetter != nil {
		return false
	}
	if !s.held.follow(row) {
		if !s.mustWait(row.After) {
			return false
		}
		s.held.begin(*row)
	}
	s.countHeld()
	return true
}

// mustWait reports whether a predecessor is not acknowledged yet. If so, this source will be told
// when it is.
func (s *source) mustWait(after Predecessor) bool {
	return after.Source != 0 && after.Source != s.ID && !s.relay.await(s, after)
}

// release produces held rows whose predecessors were acknowledged. It reports false when a publish
// has failed.
func (s *source) release() bool {
	s.mu.Lock()
	passed := s.passed
	s.passed = nil
	s.mu.Unlock()
	for source, published := range passed {
		for {
			for rows := s.held.release(source, published); rows != nil; rows = s.held.release(source, published) {
				if !s.resume(rows) {
					return false
				}
			}
			row, more := s.held.lowest(source)
			if !more || s.mustWait(Predecessor{source, row}) {
				break
			}
			published = row + 1
		}
	}
	if passed != nil {
		s.countHeld()
	}
	return true
}

// resume produces the rows of one key. A later one may have another predecessor, and hold the rest.
func (s *source) resume(rows []Row) bool {
	for i := range rows {
		if i > 0 && s.mustWait(rows[i].After) {
			s.held.begin(rows[i:]...)
			return true
		}
		if !s.deliver(&rows[i]) {
			return false
		}
	}
	return true
}

// countHeld keeps the relay's count of held keys.
func (s *source) countHeld() {
	if n := int64(len(s.held.keys)); n != s.heldKeys {
		s.relay.heldKeys.Add(n - s.heldKeys)
		s.heldKeys = n
	}
}

func (s *source) forgetHeld() {
	s.held = held{}
	s.countHeld()
	s.relay.waits.forget(s)
}
