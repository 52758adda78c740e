package cli

import (
	"context"
	"time"
)

const untilEvery = 50 * time.Millisecond

// Until asks now and then whether something is so, until it is, or asking failed, or the context
// ended.
func Until(ctx context.Context, so func(context.Context) (bool, error)) error {
	tick := time.NewTicker(untilEvery)
	defer tick.Stop()
	for {
		if yes, err := so(ctx); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
