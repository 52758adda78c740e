package store

import (
	"context"
	"slices"
	"strings"

	"allocation/migrations"
	"allocation/outbox"
	"allocation/worker"
)

// Service is what a service brings along: the state that its commands change, and where it is kept.
type Service struct {
	// Name is the application_name of its sessions, unless the URL of the database has one.
	Name string

	// TypePrefix stands before the names of commands.
	TypePrefix string

	// Later are the types of later versions that it knows, in full: allocation.v2.CreateBatch beside
	// the prefix allocation.v1. The name of such a command is v2.CreateBatch.
	Later []string

	// Aggregate makes the state of an applier, with nothing in it.
	Aggregate func() Aggregate

	// Table is one of the tables of the aggregate. Its file tells a database that was restored.
	Table string

	// Line makes the tables; nil: something else does.
	Line *migrations.Line

	// Rows name a row of a table at a place (a ctid), by table: each is a query with the place as
	// its argument, whose answer is a name for people and the key that the row belongs to.
	Rows map[string]string

	// Waiting counts what waits in the service's tables, such as orders for stock; nil where
	// nothing does.
	Waiting *Waiting

	// Due are the commands that the clock makes due; nil where none ever are.
	Due *Due
}

// Waiting is what waits in a service's tables until something comes.
type Waiting struct {
	One  string // what one is called, such as "waiting line"
	Name string // what they are called in JSON and metrics, such as "waiting_lines"
	Help string // of the metric
	SQL  string // a query of how many there are, $1 (a bigint) at most, and since when the oldest, which may be null
}

// Lines are the migrations of a schema of the service.
func (s *Service) Lines() migrations.Lines { return migrations.LinesOf(s.Line) }

// TypeOf is the type of a command in full.
func (s *Service) TypeOf(command string) string {
	i := slices.IndexFunc(s.Later, func(later string) bool { return strings.HasSuffix(later, "."+command) })
	if strings.Contains(command, ".") && i >= 0 {
		return s.Later[i]
	}
	return s.TypePrefix + command
}

// Aggregate is the state that a service's commands change. A value belongs to one applier, whose
// transactions come one after the other. Write has to check what the value keeps from one to the
// next. Where commands are only tried (Tx.Tries), a value is new, and ends without Write and Done.
type Aggregate interface {
	// Begin reads the commands of a transaction, and names to tx the key of each, as far as the
	// command itself tells it. Of a command of Tx.Newer nothing is known but that its type is of a
	// later version: its fields may be others, and what looks like a key is one.
	Begin(tx *Tx)

	// Decide decides the commands in order, and loads by tx.Load what it lacks. It asks tx.Park
	// before it decides a command.
	Decide(ctx context.Context, tx *Tx) error

	// Outcome tells what a command came to: why it was refused, or nil, and how many events it has.
	// It is asked of commands that were decided, in order.
	Outcome(command int) (refusal *worker.Refusal, events int)

	// Event gives an event of a command, which is written at a place, and appends its value. It is
	// called once for each event, in order.
	Event(command, n int, at Ref, value []byte) (Event, []byte)

	// Write appends what was changed to the transaction. Each statement has to fail with AL002
	// where it does not find what Decide relied on. It gives the keys that Decide relied on: none
	// of them may be held.
	Write(p *Pipeline, tx *Tx) (keys []string)

	// Done tells how the transaction ended. After any error, nothing that was read may be relied
	// on.
	Done(err error)
}

// Event is an event to publish.
type Event struct {
	Type    string
	Key     string // events of a key are published in order
	Subject string

	RecordKey   string // of the Kafka record; empty: Key
	Correlation string // of a command of another service, say; empty: the command's own

	Sequence int64  // of the key's events; 0: it counts with no others
	Last     Ref    // the key's last event, which this one does not overtake; the zero value where there is none
	Previous Ref    // the last event of what this one continues, for people; the zero value where there is none
	Also     Ref    // the last event of a second thread that this one continues, for people
	Note     []byte // JSON that is kept with the event for people, and not published; nil: nothing
}

// Ref is where the outbox has an event. The zero value is nowhere: sources count from 1.
type Ref struct {
	Row    int64
	Source int32
	day    day
}

// Scan gives where to scan a reference's source, row and, in days since 2000-01-01, day.
func (r *Ref) Scan() (source, row, day any) { return &r.Source, &r.Row, &r.day }

// Day is the day of the outbox in which the event is, in days since 2000-01-01.
func (r *Ref) Day() int32 { return int32(r.day) }

func (r Ref) predecessor() outbox.Predecessor {
	return outbox.Predecessor{Source: r.Source, Row: r.Row}
}

// Standing is whether a command may be decided.
type Standing uint8

const (
	// Free commands may be decided.
	Free Standing = iota
	// Parked commands wait behind a key that is held, or hold it.
	Parked
	// Asked commands wait until it is known whether their key is held: load it.
	Asked
)
