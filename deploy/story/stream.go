package story

// stream is the events of a topic, by key.
type stream struct {
	keys    map[string][]uint64 // what each event says, in the order of their sequence, which begins with 1
	without map[string]uint64   // those without a sequence, by id
}

func newStream() *stream { return &stream{map[string][]uint64{}, map[string]uint64{}} }

// isNew reports whether an event comes for the first time. It finds gaps, and repeats that differ.
func (s *stream) isNew(c *Checker, m *message) bool {
	key, sum := string(m.record.Key), m.sum()
	if m.sequence == 0 {
		before, known := s.without[m.id]
		if known && before != sum {
			c.report(RuleSequence, key, "the repeat %s of %s has another content", m, m.id)
		}
		s.without[m.id] = sum
		return !known
	}
	seen := s.keys[key]
	switch n := int64(len(seen)); {
	case m.sequence < 1:
		c.report(RuleSequence, key, "%s has the sequence %d", m, m.sequence)
	case m.sequence <= n:
		if seen[m.sequence-1] != sum {
			c.report(RuleSequence, key, "the repeat %s of sequence %d has another content", m, m.sequence)
		}
	case m.sequence == n+1:
		s.keys[key] = append(seen, sum)
		return true
	default:
		c.report(RuleSequence, key, "%s has the sequence %d; the one before is %d", m, m.sequence, n)
		for ; n < m.sequence-1; n++ {
			seen = append(seen, 0) // it is told once
		}
		s.keys[key] = append(seen, sum)
		return true
	}
	return false
}
