package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestService_saysThatAQuotaOfKafkaDelaysIt(t *testing.T) {
	s := &service{t: t, names: newTopicNames(t), group: "group-" + uuid.NewString()}
	client := "client-" + uuid.NewString() // other tests share the brokers
	s.adjust = func(w *wiring) { w.kafka = append(w.kafka, kgo.ClientID(client)) }
	s.setUp("1")
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	s.tail(1)
	require.NotContains(t, s.get("/readyz"), "quota")

	admin := newAdmin(t, s.names.server(t))
	defer admin.Close()
	done, err := admin.AlterClientQuotas(t.Context(), []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &client}},
		Ops:    []kadm.AlterClientQuotaOp{{Key: "consumer_byte_rate", Value: 100}},
	}})
	require.NoError(t, err)
	require.NoError(t, done[0].Err)
	s.eventually("a note that names the broker", func() bool {
		s.send("ChangeBatchQuantity", "batchref=b1", "qty=90")
		return strings.Contains(s.get("/readyz"), `"notes":["kafka: a quota delays this worker: broker `)
	})
	require.Regexp(t, `allocation_kafka_throttle_seconds_total [0-9.e+]*[1-9]`, s.get("/metrics"))
	require.Contains(t, s.log.String(), "a quota of Kafka delays this worker")
}

func TestThrottling_isForgottenWhenItHasEnded(t *testing.T) {
	var log strings.Builder
	w := &throttling{logger: slog.New(slog.NewTextHandler(&log, nil)), seconds: prometheus.NewCounter(prometheus.CounterOpts{})}
	for range 3 {
		w.OnBrokerThrottle(kgo.BrokerMetadata{NodeID: 2}, 1500*time.Millisecond, true)
	}
	require.Equal(t, []string{"kafka: a quota delays this worker: broker 2 asked for 1.5s last"}, w.notes(time.Now()))
	require.Empty(t, w.notes(time.Now().Add(throttledLately+time.Second)))
	require.Equal(t, 1, strings.Count(log.String(), "\n"), "said once a minute: %s", log.String())
}
