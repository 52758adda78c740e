package worker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
	"allocation/worker/cloudevents"
)

// Parked is where a command was parked in the database that is not applied from its partition: a
// dead letter on which an operator decided or that waited for a newer worker, or a command that
// waited behind a held key.
type Parked struct {
	Letter  LetterID      // the dead letter; the zero value where it is a waiting command
	Seq     int64         // of a waiting command
	HeldKey string        // the key that is held until it is applied; empty: none
	Discard bool          // the decision: it never takes effect
	Newer   bool          // nobody decided: the letter waited for a worker that knows its type, or its time is over
	Waited  time.Duration // how long a waiting command has waited
	From    outbox.Source // the partition that it came by
	Event   int32         // the number of its next event
	Retries int32         // how often it was retried before
}

// LetterID names a dead letter: its own outbox row. Sources count from 1.
type LetterID struct {
	Source int32
	Row    int64
}

// ParkedRecord is a parked command as it came, before its envelope is read.
type ParkedRecord struct {
	Parked
	Offset  int64 // in the partition that it came by
	Time    int64 // of the record, in Unix milliseconds; outbox.NoTime where it has none
	Key     []byte
	Value   []byte
	Headers []outbox.Header
}

// Command reads the record's envelope. Where only the topic could tell the type, it stays unknown;
// the data is read all the same.
func (r *ParkedRecord) Command(typePrefix string) Command {
	record := &kgo.Record{Offset: r.Offset, Key: r.Key, Value: r.Value, Headers: r.Headers}
	return decode(record, &cloudevents.Types{Prefix: typePrefix}, &outbox.Cause{})
}

// RedriveBatch is what may be applied next of what is parked for a partition.
type RedriveBatch struct {
	Records  []ParkedRecord
	Free     string // the key for which nothing waits behind these; empty where there is none
	Attempts int    // to apply what begins here, this one included: high where it ends its worker
}

// Empty reports whether there is nothing to do.
func (b *RedriveBatch) Empty() bool { return len(b.Records) == 0 && b.Free == "" }

// Backlog says what is parked for a partition.
type Backlog struct {
	Work  bool     // there is something to apply
	Held  int      // keys that its dead letters hold until an operator decides
	Newer int      // keys that its dead letters hold until a newer worker comes, or their time is over
	Again LetterID // the dead letter of a batch of records that is to be read again; the zero value where there is none
}

// BatchLetter is a dead letter of a batch of records that an operator wants read again.
type BatchLetter struct {
	Letter      LetterID
	From        outbox.Source // the partition that it came by
	First, Last int64         // offsets
	Next        int64         // the offset from which on its records were not applied
	Room        int64         // to how many bytes it may unpack
	Event       int32         // the number of the next event of each of its records
	Attempts    int           // to read what comes next and apply it, this one included
}

// Reread is what a transaction does to a batch of records that is read again: its commands are some
// of the batch's. It commits only if the batch is where this worker left it, and an operator still
// wants it read.
type Reread struct {
	Letter   LetterID
	From     outbox.Source
	First    int64 // offset of the batch
	Next, To int64 // the offset up to which it is applied, before and after
	Done     bool  // it has nothing behind To
}

// cut leaves the batch where the first of the commands stands that are left out.
func (r *Reread) cut(left []Command) *Reread {
	if r == nil || len(left) == 0 {
		return r
	}
	before := *r
	before.To, before.Done = left[0].Offset, false
	return &before
}
