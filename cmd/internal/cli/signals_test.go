package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who stopped a run reads that first, not what its servers said when their connections were closed.
func TestStoppedBy(t *testing.T) {
	t.Parallel()
	failed := errors.New("conn closed")
	ctx, cancel := context.WithCancelCause(t.Context())
	require.Equal(t, failed, stoppedBy(ctx, failed))
	cancel(ErrSignal)
	require.EqualError(t, stoppedBy(ctx, failed), "stopped by a signal: conn closed")
	require.Equal(t, ErrSignal, stoppedBy(ctx, fmt.Errorf("is Postgres running? %w", ErrSignal)))
}
