package testbed

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestTopic_isReadyAndEmpty(t *testing.T) {
	t.Parallel()
	topic, other := Topic(t, "commands", 3), Topic(t, "commands", 3)
	require.NotEqual(t, topic, other)

	produce(t, Kafka(t), topic, "one")
	require.Equal(t, "one", consume(t, Kafka(t), topic))
}

func TestTopic_isDeleted(t *testing.T) {
	t.Parallel()
	var left string
	t.Run("creates", func(t *testing.T) { left = Topic(t, "commands", 1) })
	// The server forgets it a moment after it has answered.
	Eventually(t, func() bool { return !topicExists(t, left) })
}

func topicExists(t *testing.T, topic string) bool {
	topics, err := Admin(t, Kafka(t)).ListTopics(t.Context())
	return err != nil || topics.Has(topic)
}

func TestKafkaServer_keepsWhatWasAcknowledged(t *testing.T) {
	Long(t)
	t.Parallel()
	server := StartKafka(t)
	require.NoError(t, createTopic(t.Context(), Admin(t, server.Brokers()), "kept", 1))
	produce(t, server.Brokers(), "kept", "one")
	server.Kill()
	server.Start()
	require.Equal(t, "one", consume(t, server.Brokers(), "kept"))

	server.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	client := Client(t, server.Brokers())
	require.Error(t, client.Ping(ctx))
	server.Thaw()
	require.NoError(t, client.Ping(t.Context()))

	server.Stop()
	server.Start()
	require.Equal(t, "one", consume(t, server.Brokers(), "kept"))
}

func produce(t *testing.T, brokers, topic, value string) {
	t.Helper()
	record := &kgo.Record{Topic: topic, Value: []byte(value)}
	require.NoError(t, Client(t, brokers).ProduceSync(t.Context(), record).FirstErr())
}

func consume(t *testing.T, brokers, topic string) string {
	t.Helper()
	fetches := Reader(t, brokers, topic).PollFetches(t.Context())
	require.NoError(t, fetches.Err())
	return string(fetches.Records()[0].Value)
}
