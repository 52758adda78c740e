package store

import "time"

// breather pauses for a moment now and then while a transaction deals with very many rows, as when
// a batch with a hundred thousand lines shrinks. In one go, that and Postgres, which it keeps busy,
// would have a small machine's processors to themselves for so long that commands of other appliers
// wait for tens of milliseconds (docs/performance.md). The zero value has just begun.
type breather struct{ rows int }

const (
	unhurriedFrom = 5_000            // rows; a batch of the usual size has fewer
	breatheEvery  = 1_000            // rows from there on
	breath        = time.Millisecond // too short to end with a context
)

// row counts one more row.
func (b *breather) row() {
	if b.rows++; b.rows > unhurriedFrom && b.rows%breatheEvery == 0 {
		<-time.After(breath)
	}
}
