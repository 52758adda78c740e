package verify

import (
	"context"
	"fmt"

	"allocation/store"
)

// Options say what to verify.
type Options struct {
	Key    string // only this key; empty: all
	Memory int64  // about how many bytes the fold may take; 0: DefaultMemory
	// Topic, where events are read from Kafka, calls take with all that are there now, each key's
	// in order, though some may come twice. nil: events are read from the outbox.
	Topic    func(ctx context.Context, take func(Event) error) error
	Report   func(Difference) error
	Progress func(doing string, done int64) // may be called at any time; nil: nobody watches
}

// DefaultMemory is what the fold takes without another bound.
const DefaultMemory = 64 << 20

// Summary says what was checked, and what could not be.
type Summary struct {
	OutboxRows  int64
	DeadLetters int64
	Folded      int64 // keys whose events were compared with the tables
	HistoryCut  int64 // keys whose events are not all kept
	LettersCut  int64 // dead letters whose outbox row is no longer kept
	Passes      int64 // over the events
	Differences int64
}

// Verifier is one run.
type Verifier struct {
	o         Options
	db        *store.Store
	aggregate Aggregate
	summary   Summary
	days      days  // of the outbox, when the run began
	failed    error // why the run ends: a difference could not be reported, or the fold has no room
}

// Run verifies the database. An error means that it could not; differences are reported and
// counted.
func Run(ctx context.Context, db *store.Store, o Options, a Aggregate) (Summary, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Progress == nil {
		o.Progress = func(string, int64) {}
	}
	v := &Verifier{o: o, db: db, aggregate: a}
	err := Steps(ctx, []Step{
		{"look at the outbox", func(ctx context.Context) (err error) { v.days, err = v.readDays(ctx); return err }},
		{"check positions", v.checkPositions},
		{"check the outbox", v.checkOutbox},
		{"check the ids of events", v.checkIDs},
		{"check dead letters", v.checkLetters},
	})
	if err == nil && a.Check != nil {
		err = a.Check(ctx, v)
	}
	if err == nil {
		err = Steps(ctx, []Step{{"fold events", v.foldAll}})
	}
	return v.summary, err
}

// Step is a part of a run.
type Step struct {
	Doing string // for its error
	Do    func(context.Context) error
}

// Steps does them one after the other.
func Steps(ctx context.Context, steps []Step) error {
	for _, step := range steps {
		if err := step.Do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.Doing, err)
		}
	}
	return nil
}

// Key is the only key to verify; empty: all.
func (v *Verifier) Key() string { return v.o.Key }

// Wants reports whether a key is to be verified.
func (v *Verifier) Wants(key string) bool { return v.o.Key == "" || v.o.Key == key }

// MayLackRows reports whether rows of the outbox may be missing in the middle, because their day
// was dropped.
func (v *Verifier) MayLackRows() bool { return v.days.holes() }
