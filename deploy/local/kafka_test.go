package local

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestKafka_restartKeepsTopicsRecordsAndGroupOffsets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()

	first := startKafka(t, dir)
	createTopic(t, first.Addr(), "commands", 3)
	produce(t, first.Addr(), "commands", "one")
	require.Equal(t, "one", consumeAsGroup(t, first.Addr()))
	before := describe(t, first.Addr())
	first.Close()

	second := startKafka(t, dir)
	require.Equal(t, before, describe(t, second.Addr()))
	produce(t, second.Addr(), "commands", "two")
	require.Equal(t, "two", consumeAsGroup(t, second.Addr()))
}

func TestKafka_isAloneAtItsPortAndInItsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kafka := startKafka(t, dir)
	_, err := StartKafka(t.Context(), KafkaOptions{Addr: kafka.Addr(), AddrFlag: "--kafka-addr", Dir: t.TempDir()})
	var inUse *AddrInUseError
	require.ErrorAs(t, err, &inUse)
	require.Equal(t, kafka.Addr(), inUse.Addr)
	require.ErrorContains(t, err, "choose another port with --kafka-addr")

	_, err = StartKafka(t.Context(), KafkaOptions{Addr: "127.0.0.1:0", Dir: dir})
	require.ErrorIs(t, err, ErrFolderInUse)
	require.NotEqual(t, describe(t, kafka.Addr()).Cluster, describe(t, startKafka(t, t.TempDir()).Addr()).Cluster)
}

func TestKafka_createsNoTopicByItself(t *testing.T) {
	t.Parallel()
	kafka := startKafka(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	record := &kgo.Record{Topic: "mistyped", Value: []byte("x")}
	require.Error(t, newClient(t, kafka.Addr(), kgo.AllowAutoTopicCreation()).ProduceSync(ctx, record).FirstErr())
}

func startKafka(t *testing.T, dir string) *Kafka {
	t.Helper()
	kafka, err := StartKafka(t.Context(), KafkaOptions{Addr: "127.0.0.1:0", Dir: dir})
	require.NoError(t, err)
	t.Cleanup(kafka.Close)
	return kafka
}

func newClient(t *testing.T, addr string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(addr), kgo.MetadataMinAge(100*time.Millisecond))...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func createTopic(t *testing.T, addr, topic string, partitions int32) {
	t.Helper()
	_, err := kadm.NewClient(newClient(t, addr)).CreateTopic(t.Context(), partitions, -1, nil, topic)
	require.NoError(t, err)
}

func produce(t *testing.T, addr, topic, value string) {
	t.Helper()
	record := &kgo.Record{Topic: topic, Value: []byte(value)}
	require.NoError(t, newClient(t, addr).ProduceSync(t.Context(), record).FirstErr())
}

// consumeAsGroup returns the next record that the group has not had.
func consumeAsGroup(t *testing.T, addr string) string {
	t.Helper()
	client := newClient(t, addr, kgo.ConsumerGroup("readers"), kgo.ConsumeTopics("commands"), kgo.SessionTimeout(2*time.Second), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	fetches := client.PollFetches(t.Context())
	require.NoError(t, fetches.Err())
	require.NoError(t, client.CommitUncommittedOffsets(t.Context()))
	require.Len(t, fetches.Records(), 1)
	client.Close()
	return string(fetches.Records()[0].Value)
}

type description struct {
	Cluster string
	Topics  map[string]kadm.TopicID
}

func describe(t *testing.T, addr string) description {
	t.Helper()
	metadata, err := kadm.NewClient(newClient(t, addr)).Metadata(t.Context())
	require.NoError(t, err)
	topics := make(map[string]kadm.TopicID)
	for name, topic := range metadata.Topics {
		topics[name] = topic.ID
	}
	return description{Cluster: metadata.Cluster, Topics: topics}
}
