package worker

import (
	"log/slog"
	"testing"
	"time"

	"allocation/outbox"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// A client that has topics joins the group by itself, and hands out partitions to a worker that may
// still be in the making.
func TestNew_leavesTheGroupAlone(t *testing.T) {
	w, err := New(Config{
		Group: "g", Service: "test", TypePrefix: "test.v1.", Topics: []Topic{{Name: "commands"}}, Appliers: 1, MaxBatch: 1,
		SessionTimeout: 10 * time.Second, StallTimeout: time.Second, ShutdownTimeout: time.Second,
		Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()),
	}, nil, &outbox.Relay{})
	require.NoError(t, err)
	defer w.client.Close()
	require.Empty(t, w.client.GetConsumeTopics())
}
