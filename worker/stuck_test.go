package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// The fetch watch needs nothing but the lock that guards the partitions. Where it does not come
// round, the process hangs.
func TestWorker_saysThatItHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &Worker{metrics: NewMetrics(prometheus.NewRegistry())}
		ctx, end := context.WithCancel(t.Context())
		require.Empty(t, w.metrics.Stuck(), "before it begins")
		go w.runFetchWatch(ctx)
		<-time.After(10 * time.Minute)
		require.Empty(t, w.metrics.Stuck())
		end()
		<-time.After(10 * time.Minute)
		require.Contains(t, w.metrics.Stuck(), "this process hangs for 10m")
	})
}
