package worker

import (
	"context"
	"time"
)

// kick wakes who waits for it, now or when it next waits.
func kick(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// sleepUntilKicked waits for a kick, or for a time if it is not 0; false when the context ended.
func sleepUntilKicked(ctx context.Context, kicked <-chan struct{}, wait time.Duration) bool {
	var after <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-kicked:
	case <-after:
	}
	return ctx.Err() == nil
}
