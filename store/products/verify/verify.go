package verify

import (
	"context"

	"allocation/store"
	"allocation/store/verify"
)

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

// checks are those of the rows of products with each other.
type checks struct {
	v       *verify.Verifier
	summary Summary
}

// Run verifies the database. An error means that it could not; differences are reported and
// counted.
func Run(ctx context.Context, db *store.Store, o verify.Options) (Summary, error) {
	c := &checks{}
	engine, err := verify.Run(ctx, db, o, verify.Aggregate{
		Table: "products", Versions: versionsSQL, TheseVersions: theseVersionsSQL, Check: c.check, Fold: newFold,
	})
	s := &c.summary
	s.OutboxRows, s.DeadLetters, s.LettersCut = engine.OutboxRows, engine.DeadLetters, engine.LettersCut
	s.Folded, s.HistoryCut, s.Passes, s.Differences = engine.Folded, engine.HistoryCut, engine.Passes, engine.Differences
	return *s, err
}

func (c *checks) check(ctx context.Context, v *verify.Verifier) error {
	c.v = v
	return verify.Steps(ctx, []verify.Step{
		{Doing: "check products", Do: c.checkProducts},
		{Doing: "check batches", Do: c.checkBatches},
		{Doing: "check keys", Do: c.checkKeys},
		{Doing: "check lines", Do: c.checkLines},
	})
}
