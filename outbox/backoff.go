package outbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// pace is how long the relay waits between tries.
type pace struct {
	first, last time.Duration // a try that failed: doubling from first to last
	nudge       time.Duration // before the owner of a foreign predecessor is asked to write its published row
	poll        time.Duration // between the first two looks at the table
	pollMost    time.Duration // between later ones
	look        time.Duration // between two looks at what is outstanding
	patience    time.Duration // without an acknowledgement, before that is trouble by itself
	giveUp      time.Duration // of an optional topic that refuses everything
	probe       time.Duration // between two records that ask such a topic again
}

var defaultPace = pace{
	first: 50 * time.Millisecond, last: 5 * time.Second,
	nudge: 3 * time.Millisecond, poll: 5 * time.Millisecond, pollMost: 250 * time.Millisecond,
	look: time.Second, patience: 10 * time.Second, giveUp: 10 * time.Second, probe: time.Second,
}

// backoff counts failures in a row.
type backoff struct {
	pace  pace
	tries int
}

// next is how long to wait after one more failure, with jitter so that sources do not come back all
// at once.
func (b *backoff) next() time.Duration {
	d := min(b.pace.first<<min(b.tries, 20), b.pace.last)
	b.tries++
	return d/2 + rand.N(d/2+1)
}

func (b *backoff) reset() { b.tries = 0 }

// pause waits, and reports false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// kick leaves a token in a channel that has room for one, unless there is one.
func kick(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func isEraOver(err error) bool { return errors.Is(err, context.Canceled) }
