package service

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// throttledLately is for how long a delay is told in the notes of readiness.
	throttledLately = 30 * time.Second
	// throttledSaidEvery is how often the log repeats it.
	throttledSaidEvery = time.Minute
)

// throttling knows that a quota of Kafka delays this worker. Kafka answers each request as if all
// was well, and says how long the client has to wait before its next one.
type throttling struct {
	logger  *slog.Logger
	seconds prometheus.Counter

	mu     sync.Mutex
	last   time.Time
	delay  time.Duration // the last delay
	broker int32         // that asked for it
	said   time.Time
}

var _ kgo.HookBrokerThrottle = (*throttling)(nil) // the client takes a hook of any type

// OnBrokerThrottle is kgo's hook for an answer that says how long the client has to wait.
func (t *throttling) OnBrokerThrottle(broker kgo.BrokerMetadata, delay time.Duration, _ bool) {
	t.seconds.Add(delay.Seconds())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last, t.delay, t.broker = time.Now(), delay, broker.NodeID
	if t.last.Sub(t.said) < throttledSaidEvery {
		return
	}
	t.said = t.last
	t.logger.Warn("a quota of Kafka delays this worker", "broker", broker.NodeID, "delay", delay.String(),
		"look", "kafka-configs --describe --entity-type clients, --entity-type users, --entity-type ips")
}

// notes say that a delay was met lately.
func (t *throttling) notes(now time.Time) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last.IsZero() || now.Sub(t.last) > throttledLately {
		return nil
	}
	return []string{fmt.Sprintf("kafka: a quota delays this worker: broker %d asked for %s last", t.broker, t.delay)}
}
