package checker

// mention is a record on the dead-letter topic: a dead letter, or what an operator decided about
// one.
type mention struct {
	spot
	record   int32 // in History.Letters
	decision string
}

// readLetters finds the command of each record on the dead-letter topic.
func (c *check) readLetters() (letters, decisions []mention) {
	for i, p := range c.history.Letters {
		r := p.Record()
		m := mention{spot: c.originalOf(&r), record: int32(i)}
		if decision := r.header("dlq-decision"); decision != nil && r.header("dlq-reason") == nil { // a letter may carry the header of its command
			m.decision = string(decision)
			decisions = append(decisions, m)
			continue
		}
		letters = append(letters, m)
	}
	return letters, decisions
}

func (c *check) originalOf(r *Record) spot {
	s, _ := c.spotOf(string(r.header("dlq-original-topic")), string(r.header("dlq-original-partition")), string(r.header("dlq-original-offset")))
	return s
}
