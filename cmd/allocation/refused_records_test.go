package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// A dead letter without a key, for a topic that is compacted and so takes none without, and events
// that are too large for the topic of their own: neither holds anything back.
func TestService_recordsThatTheirTopicRefusesForGoodHoldNothingBack(t *testing.T) {
	s := &Service{t: t, names: newTopicNames(t), group: "group-" + uuid.NewString()}
	admin := newAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	for topic, settings := range map[string]map[string]*string{
		s.names.deadLetters: {"cleanup.policy": ptr("compact"), "max.message.bytes": ptr("2000000")},
		s.names.route:       {"max.message.bytes": ptr("300")},
	} {
		_, err := admin.CreateTopic(t.Context(), 1, -1, settings, topic)
		require.NoError(t, err)
	}
	s.setUp("1")

	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(t)), kgo.ConsumeTopics(s.names.deadLetters), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: s.names.commands, Value: []byte("{")}).FirstErr())
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	for i := range 20 {
		s.send("Allocate", fmt.Sprintf("orderid=o%d", i), "sku=CHAIR", "qty=1")
	}
	const commands = 22
	require.Eventually(t, func() bool {
		offsets, err := admin.FetchOffsets(t.Context(), s.group)
		at, _ := offsets.Lookup(s.names.commands, 0)
		return err == nil && at.At == commands
	}, time.Minute, 20*time.Millisecond, "all is applied and published")
	require.Equal(t, "200 {\"ready\":true}\n", s.get("/readyz"))
	runProgram(t, "verify", "--from-topic", "--kafka-brokers="+testbed.Kafka(t), "--events-topic="+s.names.events).requireDone(t)

	letter := client.PollFetches(t.Context()).Records()[0]
	require.Equal(t, s.names.commands+".0.0", string(letter.Key), "a key was made up")
	require.Equal(t, "{", string(letter.Value))
	require.Equal(t, "true", headerOf(letter, "dlq-key-made-up"))
	require.Contains(t, s.get("/metrics"), fmt.Sprintf(`allocation_outbox_skipped_total{reason="MESSAGE_TOO_LARGE",topic=%q} 20`, s.names.route))
	require.Contains(t, s.log.String(), `msg="topic refuses a record for what it is: it is left out, and nothing else waits for it"`)
	require.Contains(t, s.log.String(), "command="+s.names.commands+".0.2 ")
	ends, err := admin.ListEndOffsets(t.Context(), s.names.route)
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
