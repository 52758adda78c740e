package outbox

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox/telemetry"
)

// Source is a partition of a command topic, under the number that the database gave it. Its rows
// are numbered 0, 1, 2, … without gaps.
type Source struct {
	ID        int32
	Topic     string
	TopicID   [16]byte // Kafka's id of the topic: part of every ce_id
	Partition int32
}

// Row is one committed row of the outbox: an event, or a dead letter.
type Row struct {
	Number int64   // within its source
	Offset int64   // of the command that caused it
	From   *Source // the partition that the command came by; nil: its own source
	Event  int32   // the number of the event within the command, from 0

	Type     string // "Allocated", …; empty for a dead letter
	Key      string // of what the event is about: its events are published in order
	Subject  string // the order, else the batch
	Value    []byte // the bare JSON data
	Sequence int64  // of the key's events; 0 for an event without one

	RecordKey string // of the Kafka record; empty: Key

	Cause *Cause
	After Predecessor // the previous event of the same key where another source made it

	DeadLetter *DeadLetter
}

// Cause is what the events of one command have in common.
type Cause struct {
	CommandID     string // ce_id; empty where the command had none
	CorrelationID string // ce_correlationid; empty where the command had none
	TraceParent   string
	TraceState    string
	Time          int64 // the command record's timestamp in Unix milliseconds; NoTime where it has none
}

// Trace is the trace that the command is part of.
func (c *Cause) Trace() telemetry.Trace {
	return telemetry.Trace{Parent: c.TraceParent, State: c.TraceState}
}

// NoTime says that a record has no timestamp.
const NoTime = -1

// Predecessor is the row that must be acknowledged before another may be published. The zero value
// asks for none: sources count from 1.
type Predecessor struct {
	Source int32
	Row    int64
}

// DeadLetter is a refused or unreadable command as it came, and why it was refused.
type DeadLetter struct {
	Reason  string // a word of the specification
	Message string // a sentence for a person
	Key     []byte // nil where the record had none
	Value   []byte // nil where the record had none
	Headers []Header

	// Batch is what the letter is about where that is not one command but a batch of records, which
	// was not unpacked. It has no bytes then.
	Batch *RecordBatch

	// Decision, unless empty, says that this is not the dead letter, but what an operator decided
	// of it.
	Decision Decision
}

// RecordBatch is a batch of records of a command topic, as its header describes it.
type RecordBatch struct {
	Last    int64  // the offset of its last record; the dead letter's is that of its first
	Records int32  // how many it has
	Bytes   int32  // packed
	Codec   string // zstd, …
}

// Decision is what an operator decided of a dead letter.
type Decision string

// The decisions.
const (
	Retried   Decision = "retried"   // it was applied again
	Discarded Decision = "discarded" // it never takes effect
)

// Header is a Kafka record header. A value that is nil is not the same as an empty one.
type Header = kgo.RecordHeader
