// Package await waits for servers.
package await

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Ready tries again and again until it succeeds. Where the context ends before, or the channel is
// closed, which may be nil, its error is that and the last one.
func Ready(ctx context.Context, ended <-chan struct{}, try func(context.Context) error) error {
	const again = 20 * time.Millisecond
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("the server ended")
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(again):
		}
	}
}
