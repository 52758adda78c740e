package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// A dead letter without a key, for a topic that is compacted and so takes none without, and events
// that are too large for the topic of their own: neither holds anything back.
func TestService_recordsThatTheirTopicRefusesForGoodHoldNothingBack(t *testing.T) {
	t.Parallel()
	s := &programtest.Service{T: t, Names: programtest.NewNames(t), Group: "group-" + uuid.NewString()}
	admin := programtest.NewAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	for topic, settings := range map[string]map[string]*string{
		s.Names.DeadLetters: {"cleanup.policy": kadm.StringPtr("compact"), "max.message.bytes": kadm.StringPtr("2000000")},
		s.Names.Route:       {"max.message.bytes": kadm.StringPtr("300")},
	} {
		_, err := admin.CreateTopic(t.Context(), 1, -1, settings, topic)
		require.NoError(t, err)
	}
	s.SetUp("1")

	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(t)), kgo.ConsumeTopics(s.Names.DeadLetters), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: s.Names.Commands, Value: []byte("{")}).FirstErr())
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	for i := range 20 {
		s.Send("Allocate", fmt.Sprintf("orderid=o%d", i), "sku=CHAIR", "qty=1")
	}
	const commands = 22
	testbed.Eventually(t, func() bool {
		offsets, err := admin.FetchOffsets(t.Context(), s.Group)
		at, _ := offsets.Lookup(s.Names.Commands, 0)
		return err == nil && at.At == commands
	}, "all is applied and published")
	require.Equal(t, "200 {\"ready\":true}\n", s.Get("/readyz"))
	programtest.Run(t, "verify", "--from-topic", "--kafka-brokers="+testbed.Kafka(t), "--events-topic="+s.Names.Events).RequireDone(t)

	letter := client.PollFetches(t.Context()).Records()[0]
	require.Equal(t, s.Names.Commands+".0.0", string(letter.Key), "a key was made up")
	require.Equal(t, "{", string(letter.Value))
	require.Equal(t, "true", headerOf(letter, "dlq-key-made-up"))
	require.Contains(t, s.Get("/metrics"), fmt.Sprintf(`allocation_outbox_skipped_total{reason="MESSAGE_TOO_LARGE",topic=%q} 20`, s.Names.Route))
	require.Contains(t, s.Log.String(), `msg="topic refuses a record for what it is: it is left out, and nothing else waits for it"`)
	require.Contains(t, s.Log.String(), "command="+s.Names.Commands+".0.2 ")
	ends, err := admin.ListEndOffsets(t.Context(), s.Names.Route)
	require.NoError(t, err)
	ends.Each(func(o kadm.ListedOffset) { require.Zero(t, o.Offset) })
}

func headerOf(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
