package checker

import "cmp"

// eventID is what a ce_id says: the command's place, and the number of its event.
type eventID struct {
	spot
	number int32
}

func (a eventID) compare(b eventID) int {
	return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset), cmp.Compare(a.number, b.number))
}

// mention is a record or a row that names a command: an event, a row of the outbox, a dead letter,
// or what an operator decided about one.
type mention struct {
	eventID        // of a dead letter and a decision, the place alone
	index    int32 // in the list of the history that it comes from
	decision bool  // what an operator decided, and no dead letter
}

// readLetters finds the command of each record on the dead-letter topic.
func (c *check) readLetters() (all []mention) {
	for i, p := range c.history.Letters {
		r := p.Record()
		decision := r.header("dlq-decision") != nil && r.header("dlq-reason") == nil // a letter may carry the header of its command
		all = append(all, mention{eventID: eventID{spot: c.originalOf(&r)}, index: int32(i), decision: decision})
	}
	return all
}

func (c *check) originalOf(r *Record) spot {
	s, _ := c.spotOf(string(r.header("dlq-original-topic")), string(r.header("dlq-original-partition")), string(r.header("dlq-original-offset")))
	return s
}
