package store

import "time"

// Breather pauses for a moment now and then while a transaction deals with very many rows, as when
// a batch with a hundred thousand lines shrinks. In one go, that and Postgres, which it keeps busy,
// would have a small machine's processors to themselves for so long that commands of other appliers
// wait for tens of milliseconds (docs/performance.md). The zero value has just begun.
type Breather struct{ rows int }

const (
	unhurriedFrom = 5_000            // rows; a batch of the usual size has fewer
	breatheEvery  = 1_000            // rows from there on
	breath        = time.Millisecond // too short to end with a context
)

// Row counts one more Row.
func (b *Breather) Row() {
	if b.rows++; b.rows > unhurriedFrom && b.rows%breatheEvery == 0 {
		<-time.After(breath)
	}
}
