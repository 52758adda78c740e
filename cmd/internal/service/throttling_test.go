package service

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestThrottling_isForgottenWhenItHasEnded(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w := &throttling{logger: slog.New(slog.NewTextHandler(&log, nil)), seconds: prometheus.NewCounter(prometheus.CounterOpts{})}
	for range 3 {
		w.OnBrokerThrottle(kgo.BrokerMetadata{NodeID: 2}, 1500*time.Millisecond, true)
	}
	require.Equal(t, []string{"kafka: a quota delays this worker: broker 2 asked for 1.5s last"}, w.notes(time.Now()))
	require.Empty(t, w.notes(time.Now().Add(throttledLately+time.Second)))
	require.Equal(t, 1, strings.Count(log.String(), "\n"), "said once a minute: %s", log.String())
}
