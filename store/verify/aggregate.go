package verify

import "context"

// Aggregate is how the tables of a service are verified.
type Aggregate struct {
	Table string // has one row for each key, with the sequence of its last event: its version
	// Versions reads keys and versions for Walk, and TheseVersions those of the keys in $1.
	Versions, TheseVersions string
	// Check wants the service's rows to agree with each other. nil: there is nothing to check.
	Check func(ctx context.Context, v *Verifier) error
	// Fold begins a pass over the events: it makes the Parts that they add up to. It returns what
	// adds an event, which is given each event of a key in order.
	Fold func(p *Pass) (add func(*Event))
}

// Event is an event of a key that changed it.
type Event struct {
	Key       string
	Sequence  int64
	Type      string // without the prefix of all types
	Data      []byte
	Partition int32 // of the topic that it was read from; below 0: it came from the outbox
}
