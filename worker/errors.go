package worker

import (
	"errors"
	"fmt"
)

// What an error of the store allows. An error that is none of these is the fault of something in the batch.
var (
	// ErrConflict: nothing was committed, because another transaction was first. Decide the batch again.
	ErrConflict = errors.New("conflict")

	// ErrOutage: nothing was committed, because the database is away, full, or not set up. Wait and try again, for ever.
	ErrOutage = errors.New("outage")

	// ErrUnknownOutcome: the transaction may or may not have committed. Claim again, and read where the position is.
	ErrUnknownOutcome = errors.New("unknown outcome")
)

// FencedError says that nothing was committed, because the claims on these sources are no longer held, or their positions are not where
// this worker left them.
type FencedError struct {
	Sources []int32
}

func (e *FencedError) Error() string { return fmt.Sprintf("fenced on sources %v", e.Sources) }
