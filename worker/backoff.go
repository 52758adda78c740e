package worker

import (
	"context"
	"math/rand/v2"
	"time"
)

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// backoff doubles from first to most with the attempts, and varies by a half, so that workers do
// not come back all at once.
func backoff(attempts int, first, most time.Duration) time.Duration {
	d := most
	if attempts < 16 {
		d = min(most, first<<max(0, attempts-1))
	}
	return jitter(d)
}

func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
