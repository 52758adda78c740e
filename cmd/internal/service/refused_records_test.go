package service_test

import (
	"fmt"
	"strings"
	"testing"

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
	s := programtest.NewService(t)
	admin := testbed.Admin(t, testbed.Kafka(t))
	for topic, settings := range map[string]map[string]*string{
		s.Names.DeadLetters: {"cleanup.policy": kadm.StringPtr("compact"), "max.message.bytes": kadm.StringPtr("2000000")},
		s.Names.Route:       {"max.message.bytes": kadm.StringPtr("300")},
	} {
		_, err := admin.CreateTopic(t.Context(), 1, -1, settings, topic)
		require.NoError(t, err)
	}
	s.SetUp("1")

	s.Produce(&kgo.Record{Value: []byte("{")})
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	var orders strings.Builder
	for i := range 20 {
		fmt.Fprintf(&orders, "{\"type\":\"Allocate\",\"data\":{\"orderid\":\"o%d\",\"sku\":\"CHAIR\",\"qty\":1}}\n", i)
	}
	programtest.SendLines(t, s.Names.Commands, orders.String()).RequireDone(t)
	const commands = 22
	testbed.Eventually(t, func() bool {
		offsets, err := admin.FetchOffsets(t.Context(), s.Group)
		at, _ := offsets.Lookup(s.Names.Commands, 0)
		return err == nil && at.At == commands
	}, "all is applied and published")
	require.Equal(t, "200 {\"ready\":true}\n", s.Get("/readyz"))
	s.Verify("--from-topic").RequireDone(t)

	letter := testbed.Reader(t, testbed.Kafka(t), s.Names.DeadLetters).PollFetches(t.Context()).Records()[0]
	require.Equal(t, s.Names.Commands+".0.0", string(letter.Key), "a key was made up")
	require.Equal(t, "{", string(letter.Value))
	require.Contains(t, letter.Headers, kgo.RecordHeader{Key: "dlq-key-made-up", Value: []byte("true")})
	require.Contains(t, s.Get("/metrics"), fmt.Sprintf(`allocation_outbox_skipped_total{reason="MESSAGE_TOO_LARGE",topic=%q} 20`, s.Names.Route))
	require.Contains(t, s.Log.String(), `msg="topic refuses a record for what it is: it is left out, and nothing else waits for it"`)
	require.Contains(t, s.Log.String(), " topic="+s.Names.Commands+" partition=0 offset=2 key=CHAIR destination="+s.Names.Route+" ")
	ends, err := admin.ListEndOffsets(t.Context(), s.Names.Route)
	require.NoError(t, err)
	ends.Each(func(o kadm.ListedOffset) { require.Zero(t, o.Offset) })
}
