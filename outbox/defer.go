package outbox

// deferRow keeps a row back when its predecessor is not acknowledged, or when an earlier row of its
// key is deferred. Dead letters have neither.
func (s *source) deferRow(row *Row) bool {
	if row.DeadLetter != nil {
		return false
	}
	if !s.deferred.follow(row) {
		if !s.mustWait(row.After) {
			return false
		}
		s.deferred.begin(*row)
	}
	s.countDeferred()
	return true
}

// mustWait reports whether a predecessor is not acknowledged yet. If so, this source will be told
// when it is.
func (s *source) mustWait(after Predecessor) bool {
	return after.Source != 0 && after.Source != s.ID && !s.relay.await(s, after)
}

// release produces deferred rows whose predecessors were acknowledged. It reports false when a
// publish has failed.
func (s *source) release() bool {
	s.mu.Lock()
	passed := s.passed
	s.passed = nil
	s.mu.Unlock()
	for source, published := range passed {
		for {
			for rows := s.deferred.release(source, published); rows != nil; rows = s.deferred.release(source, published) {
				if !s.resume(rows) {
					return false
				}
			}
			row, more := s.deferred.lowest(source)
			if !more || s.mustWait(Predecessor{source, row}) {
				break
			}
			published = row + 1
		}
	}
	if passed != nil {
		s.countDeferred()
	}
	return true
}

// resume produces the rows of one key. A later one may have another predecessor, and defer the
// rest.
func (s *source) resume(rows []Row) bool {
	for i := range rows {
		if i > 0 && s.mustWait(rows[i].After) {
			s.deferred.begin(rows[i:]...)
			return true
		}
		if !s.deliver(&rows[i]) {
			return false
		}
	}
	return true
}

// countDeferred keeps the relay's count of deferred keys.
func (s *source) countDeferred() {
	if n := int64(len(s.deferred.keys)); n != s.deferredKeys {
		s.relay.deferredKeys.Add(n - s.deferredKeys)
		s.deferredKeys = n
	}
}

func (s *source) forgetDeferred() {
	s.deferred = deferred{}
	s.countDeferred()
	s.relay.waits.forget(s)
}
