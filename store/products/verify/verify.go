package verify

import (
	"context"
	"fmt"

	"allocation/store"
)

// Options say what to verify.
type Options struct {
	SKU    string // only this product; empty: all
	Memory int64  // about how many bytes the fold may take; 0: DefaultMemory
	// Topic, where events are read from Kafka, calls take with all that are there now, each
	// product's in order, though some may come twice. nil: events are read from the outbox.
	Topic    func(ctx context.Context, take func(Event) error) error
	Report   func(Difference) error
	Progress func(doing string, done int64) // may be called at any time; nil: nobody watches
}

// DefaultMemory is what the fold takes without another bound.
const DefaultMemory = 64 << 20

// Summary says what was checked, and what could not be.
type Summary struct {
	Products    int64 `json:"products"`
	Batches     int64 `json:"batches"`
	Lines       int64 `json:"lines"`
	OutboxRows  int64 `json:"outbox_rows"`
	DeadLetters int64 `json:"dead_letters"`
	Folded      int64 `json:"products_folded"`     // whose events were compared with the tables
	HistoryCut  int64 `json:"products_not_folded"` // whose events are not all kept
	LinesCut    int64 `json:"lines_without_event"` // whose last event is no longer kept
	LettersCut  int64 `json:"letters_without_row"` // whose outbox row is no longer kept
	Passes      int64 `json:"passes"`              // over the events
	Differences int64 `json:"differences"`
}

// verifier is one run.
type verifier struct {
	o       Options
	db      *store.Store
	summary Summary
	days    days  // of the outbox, when the run began
	failed  error // why the run ends: a difference could not be reported, or the fold has no room
}

// Run verifies the database. An error means that it could not; differences are reported and
// counted.
func Run(ctx context.Context, db *store.Store, o Options) (Summary, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Progress == nil {
		o.Progress = func(string, int64) {}
	}
	v := &verifier{o: o, db: db}
	for _, step := range []struct {
		doing string
		do    func(context.Context) error
	}{
		{"look at the outbox", func(ctx context.Context) (err error) { v.days, err = v.readDays(ctx); return err }},
		{"check positions", v.checkPositions},
		{"check the outbox", v.checkOutbox},
		{"check the ids of events", v.checkIDs},
		{"check dead letters", v.checkLetters},
		{"check products", v.checkProducts},
		{"check batches", v.checkBatches},
		{"check keys", v.checkKeys},
		{"check lines", v.checkLines},
		{"fold events", v.foldAll},
	} {
		if err := step.do(ctx); err != nil {
			return v.summary, fmt.Errorf("%s: %w", step.doing, err)
		}
	}
	return v.summary, nil
}

func (v *verifier) wants(sku string) bool { return v.o.SKU == "" || v.o.SKU == sku }
