package worker

import (
	"fmt"
	"time"
)

// logEnd is where a partition's log ends, and since when its last stable offset has stood before
// that: what is between waits for a transaction of a producer, and nobody can have it.
type logEnd struct {
	stable int64     // the last stable offset that is known
	end    int64     // of the log
	stands time.Time // since when stable has stood below end; zero: it does not
	told   bool      // the log has it
}

// see takes down what a broker tells.
func (e *logEnd) see(stable, end int64, now time.Time) {
	switch {
	case stable >= end:
		e.stands = time.Time{}
	case e.stands.IsZero() || stable != e.stable:
		e.stands, e.told = now, false
	}
	e.stable, e.end = stable, max(stable, end)
}

// standing is for how long the last stable offset has stood.
func (e *logEnd) standing(now time.Time) time.Duration {
	if e.stands.IsZero() {
		return 0
	}
	return now.Sub(e.stands)
}

// waitsForTransaction says what waits where that lasts; empty where it does not.
func (e *logEnd) waitsForTransaction(patience time.Duration, now time.Time) string {
	if e.standing(now) < patience {
		return ""
	}
	return fmt.Sprintf("%d records from offset %d on wait for a producer's transaction, which has been open for %s: kafka-transactions describe-producers tells whose",
		e.end-e.stable, e.stable, since(e.standing(now)))
}
