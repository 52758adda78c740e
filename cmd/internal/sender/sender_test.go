package sender_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/sender"
	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func open(t *testing.T, topic string) *sender.Sender {
	t.Helper()
	s, err := sender.New(topic, 10*time.Second, kgo.SeedBrokers(strings.Split(testbed.Kafka(t), ",")...), kgo.MetadataMinAge(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func send(s *sender.Sender, key string) error {
	done := make(chan error, 1)
	s.Send(context.Background(), &kgo.Record{Key: []byte(key), Value: []byte("x")}, func(err error) { done <- err })
	return <-done
}

// A key goes where other clients send it. No record has a producer id: a broker could deny it for
// good.
func TestSender_sendsAsOtherClientsDo(t *testing.T) {
	topic := testbed.Topic(t, "sent", 5)
	s := open(t, topic)
	require.EqualValues(t, -1, s.PartitionOf([]byte("a")), "nobody has asked yet how many there are")
	other := testbed.Client(t, testbed.Kafka(t), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	wants := map[string]int32{}
	for n := range 20 {
		key := fmt.Sprint("key ", n)
		require.NoError(t, send(s, key))
		r := &kgo.Record{Topic: topic, Key: []byte(key)}
		require.NoError(t, other.ProduceSync(t.Context(), r).FirstErr())
		require.Equal(t, r.Partition, s.PartitionOf(r.Key))
		wants[key] = r.Partition
	}
	reader, seen := testbed.Reader(t, testbed.Kafka(t), topic), 0
	for seen < 20 {
		for _, r := range reader.PollFetches(t.Context()).Records() {
			require.Equal(t, wants[string(r.Key)], r.Partition)
			if string(r.Value) == "x" {
				seen++
				require.EqualValues(t, -1, r.ProducerID)
			}
		}
	}
}

// A topic that was deleted and made again is found again.
func TestSender_findsATopicThatWasMadeAgain(t *testing.T) {
	topic := testbed.Topic(t, "again", 1)
	s := open(t, topic)
	require.NoError(t, send(s, "a"))
	admin := testbed.Admin(t, testbed.Kafka(t))
	deleted, err := admin.DeleteTopics(t.Context(), topic)
	require.NoError(t, err)
	require.NoError(t, deleted.Error())
	testbed.Eventually(t, func() bool {
		made, err := admin.CreateTopic(t.Context(), 1, 1, nil, topic)
		return err == nil && made.Err == nil
	})
	testbed.Eventually(t, func() bool { return send(s, "b") == nil })
	require.NoError(t, send(s, "c"))
}
