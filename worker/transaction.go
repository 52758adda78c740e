package worker

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"allocation/outbox"
)

// Command is one record of a command topic after its envelope was read. What it means is the
// store's business.
type Command struct {
	Move        int    // the partition it came by: an index into Transaction.Moves
	Offset      int64  // of the record
	LeaderEpoch int32  // of the record; -1: not known
	Taken       bool   // it is an event of another service, of a type that the service takes
	Ignored     bool   // its type is none that the service takes of its topic: it has no effect
	Once        bool   // it takes effect once, however often it comes with its id
	Type        string // without the prefix
	Data        []byte // JSON
	Cause       *outbox.Cause
	Sequence    int64         // where such an event stands among those of its key; 0: nowhere
	Refusal     *Refusal      // why the envelope could not be read; nil where it could
	Parked      *Parked       // where it was parked until now; nil for one that was just fetched
	Failure     string        // why it is not to be decided: it becomes a dead letter that holds its key; empty: decide it
	Wait        time.Duration // how long it may wait for a worker that knows its newer type, instead of being refused; 0: it may not

	// What few commands have, behind what is read of each.

	Newer        string              // its type in full, if it is refused only because its version is later than is known here
	SequenceText string              // as it came; empty: it is missing
	Batch        *outbox.RecordBatch // it stands for a record batch that was not unpacked, and is refused; else nil

	// The record as it came, for a dead letter.
	Key     []byte
	Value   []byte
	Headers []outbox.Header
}

// SequenceProblem says, for a person, why the sequence is 0.
func (c *Command) SequenceProblem() string {
	is := "missing, or no text of at most 255 bytes"
	if c.SequenceText != "" {
		is = strconv.Quote(c.SequenceText)
	}
	return fmt.Sprintf("ce_sequence is %s; it must be an integer from 1 to %d", is, math.MaxInt64)
}

// PositionMove is what one transaction does to the position of one partition. It commits only if
// the claim still holds and the position is where this worker left it.
type PositionMove struct {
	Source      outbox.Source
	Token       Token // of the claim
	From, To    int64 // the offset applied up to, before and after
	NextRow     int64 // the number that the source's next outbox row takes
	Published   int64 // every row below is acknowledged
	LeaderEpoch int32 // of the last record; -1: not known
	Replay      Replay
}

// Token proves a claim on a partition. A newer claim makes a new one.
type Token [16]byte

// Transaction is what is applied at once: commands in the order in which they are decided, which
// keeps the order of each partition.
type Transaction struct {
	Applier  int // whose it is: one applier's transactions come one after the other
	Moves    []PositionMove
	Commands []Command
	Free     []string // keys for which nothing waits behind these commands: they are held no longer
	Reread   *Reread  // the record batch that the commands are of, where that is read again; else nil

	// LockFirst has the keys locked before they are read: others were first, as they are again and
	// again where a key's commands come by several partitions and one of them takes long, because
	// its batch of stock has very many lines. The others wait then.
	LockFirst bool
}

// Cut is the transaction without its commands from n on: each partition's position stops at its
// first command that is left out.
func (t Transaction) Cut(n int) Transaction {
	t.Moves, t.Free = slices.Clone(t.Moves), nil
	for i, c := range slices.Backward(t.Commands[n:]) {
		if m := &t.Moves[c.Move]; c.Parked == nil {
			m.To, m.LeaderEpoch = c.Offset, -1
			if before := n + i - 1; before >= 0 && t.Commands[before].Move == c.Move {
				m.LeaderEpoch = t.Commands[before].LeaderEpoch
			}
		}
	}
	t.Commands, t.Reread = t.Commands[:n], t.Reread.cut(t.Commands[n:])
	return t
}

// Applied is what a committed transaction did. With fewer outcomes than it has commands it
// took only the first: all together would have been too much for one transaction, see
// Transaction.Cut.
type Applied struct {
	Rows     [][]outbox.Row // by move, numbered on from its NextRow
	Outcomes []Outcome      // by command
}

// Outcome is what became of one command.
type Outcome struct {
	Result Result
	Reason string // of a refusal
}

// Result is the kind of an outcome.
type Result uint8

// The results of a command.
const (
	Changed   Result = iota // it took effect
	NoEffect                // it was seen before, or changes nothing
	Refused                 // a dead letter tells why
	Held                    // it waits behind a held key, or holds it until a newer worker knows its type
	Discarded               // an operator decided that it never takes effect
	Ignored                 // it is an event of another service, of a type that is not taken, or about nothing of this one
)

// Claim is a partition that this worker owns until another claims it.
type Claim struct {
	Source       outbox.Source
	Token        Token
	Epoch        int64 // counts claims, for people
	NextOffset   int64 // applied up to here: where consumption starts
	NextRow      int64
	Published    int64 // every row below is acknowledged
	Attempts     int   // claims since the position last moved, this one included: high where a record kills its worker
	CrashedBelow int64 // the end of a probe that never finished; 0: none

	LeaderEpoch int32 // of the last record applied; -1: not known
	Replay      Replay
}

// Position is how far the partition is applied.
func (c *Claim) Position() Position {
	return Position{TopicID: c.Source.TopicID, Offset: c.NextOffset, LeaderEpoch: c.LeaderEpoch}
}

// Replay says which offsets of a partition may have been applied before, because an operator set
// its position back or accepted a log that was cut. Events of such a command have numbers of their
// own, so that no two events have one ce_id.
type Replay struct {
	Below int64
	Times int32
}

// EventsEach is how many numbers the events of a command have each time that its offset comes by.
// Those of its dead letters go on from there: all applications of one such time count together.
const EventsEach = 1_000_000

// FirstEvent is the number of the first event of the command at an offset.
func (r Replay) FirstEvent(offset int64) int32 {
	if offset >= r.Below {
		return 0
	}
	return r.Times * EventsEach
}

// ClaimRequest asks for a partition.
type ClaimRequest struct {
	Topic      string
	TopicID    [16]byte
	Partition  int32
	TopicStart int64 // where a partition begins whose topic has no position at all; one that was added begins at 0
}

// PositionRecord is a position as the database has it, whichever worker owns it.
type PositionRecord struct {
	Source     outbox.Source
	Token      Token
	NextOffset int64
	NextRow    int64
	Published  int64
	Retired    bool // nothing more is applied under it, and no member of the group is assigned it
}

// Progress is how far the rows of a source are published, as the holder of its claim knows it.
type Progress struct {
	Source    int32
	Token     Token
	Published int64
}

// Probe is what the database knows of probes that began at a position and never ended.
type Probe struct {
	Crashes    int   // of just this probe
	LargestEnd int64 // the offset up to which the largest of them went; 0: there was none
}

// Trouble is what keeps records of a partition from coming to the holder of its claim.
type Trouble struct {
	Source int32
	Token  Token
	Since  time.Time
	Why    string // empty: it has ended
}
