package worker

import (
	"errors"
	"fmt"
)

// What an error of the store allows. An error that is none of these is the fault of something in
// the transaction.
var (
	// ErrConflict: nothing was committed, because another transaction was first. Decide the
	// commands again.
	ErrConflict = errors.New("conflict")

	// ErrOutage: nothing was committed, because the database is away, full, or not set up. Wait and
	// try again, for ever.
	ErrOutage = errors.New("outage")

	// ErrUnknownOutcome: the transaction may or may not have committed. Claim again, and read where
	// the position is.
	ErrUnknownOutcome = errors.New("unknown outcome")
)

// errorType is a word for why a transaction failed, out of few.
func errorType(err error) string {
	var fenced *FencedError
	var locked *LockedError
	switch {
	case errors.As(err, &locked):
		return "locked"
	case errors.As(err, &fenced):
		return "fenced"
	case errors.Is(err, ErrUnknownOutcome):
		return "unknown_outcome"
	case errors.Is(err, ErrConflict):
		return "conflict"
	case errors.Is(err, ErrOutage):
		return "outage"
	default:
		return "fault"
	}
}

// FencedError says that nothing was committed, because the claims on these sources are no longer
// held, or their positions are not where this worker left them.
type FencedError struct {
	Sources []int32
}

func (e *FencedError) Error() string { return fmt.Sprintf("fenced on sources %v", e.Sources) }

// LockedError says that nothing was committed, because somebody outside of the service has locked
// what is needed, and has had it for long. It is an outage of these rows alone. They are waited for
// without end, so nobody should wait with them who need not.
type LockedError struct {
	What   string // is locked, for people
	Holder string // who has it, for people
	// From is where partitions cannot go on, by their index in the transaction: at the first of its
	// commands that needs what is locked. Without any, nobody knows which commands need it. In the
	// answer to a call about several positions, it has the index of each that was left out.
	From map[int]int64
}

func (e *LockedError) Error() string { return fmt.Sprintf("%s is locked by %s", e.What, e.Holder) }

// Unwrap makes it an outage where nobody tells it apart.
func (e *LockedError) Unwrap() error { return ErrOutage }

// others are those of some positions that the error does not name.
func (e *LockedError) others(of []Progress) (left []Progress) {
	for i, p := range of {
		if _, named := e.From[i]; !named {
			left = append(left, p)
		}
	}
	return left
}
