package service_test

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// saysWhatKeepsEventsBack: what /readyz says of the events topic is what keeps events back now:
// neither the metadata, nor what was the matter before.
func saysWhatKeepsEventsBack(s *programtest.Service, cluster cluster) {
	t := s.T
	// Its first partition is on the first two brokers, its second on the first and the last, and it
	// takes no record on less than two.
	cluster.makeTopic(t, s.Names.Events, []int32{1, 2}, []int32{1, 3})
	s.SetUp("2")
	skus := oneOfEach(s.Names.Events, 2)
	spread, kept := skus[0], skus[1]
	s.Send("CreateBatch", "ref=spread", "sku="+spread, "qty=1000")
	s.Send("CreateBatch", "ref=kept", "sku="+kept, "qty=1000")
	s.Tail(2)
	saysWhichTopicsLackCopies(s)
	saysThatReplicasAreMissing(s, cluster, spread, kept)
	forgetsARefusal(s, cluster, kept)
	for _, order := range []string{"o1", "o2"} { // an event may come twice: a broker was killed
		require.Contains(t, s.Tail(1, "--order="+order)[0], "order "+order+" gets 1 of batch kept")
	}
}

// saysWhichTopicsLackCopies: what a topic has must be on several brokers when it is acknowledged,
// and yet take records while one of them is away.
func saysWhichTopicsLackCopies(s *programtest.Service) {
	admin := testbed.Admin(s.T, s.Names.Brokers)
	set := kadm.AlterConfig{Op: kadm.SetConfig, Name: "min.insync.replicas", Value: kadm.StringPtr("1")}
	_, err := admin.AlterTopicConfigs(s.T.Context(), []kadm.AlterConfig{set}, s.Names.DeadLetters)
	require.NoError(s.T, err)
	_, err = admin.CreateTopic(s.T.Context(), 1, 1, nil, "once")
	require.NoError(s.T, err)
	names := s.Names
	names.Route = "once"
	created := programtest.Run(s.T, append([]string{"topics", "create"}, names.Flags(s.T)...)...).RequireDone(s.T)
	for topic, says := range map[string]string{
		"once":              "; its replication factor is 1: what the topic has is gone",
		s.Names.Events:      "; its min.insync.replicas is 2: the topic has 2 copies, so it takes no record while one broker is away",
		s.Names.DeadLetters: "; its min.insync.replicas is 1: a record may be acknowledged that only one broker has",
		s.Names.Commands:    "$",
	} {
		require.Regexp(s.T, "(?m)^"+topic+" .* exists"+says, created)
	}
}

const lacking = "partition 1 has 1 of 2 replicas in sync"

// saysThatReplicasAreMissing: a broker is away, and a partition of the events topic has too few
// replicas to take records. The client tries on and says nothing, and the topic's metadata are
// without an error. The worker says so, and is red only while no event at all is acknowledged.
func saysThatReplicasAreMissing(s *programtest.Service, cluster cluster, spread, kept string) {
	cluster.Kill(2)
	s.Send("Allocate", "orderid=o1", "sku="+kept, "qty=1")
	s.AwaitReadyz("503 ", "outbox: publish to "+s.Names.Events+": nothing acknowledged for 1", lacking)
	require.Contains(s.T, s.Log.String(), `msg="publish failed, retrying" part=relay destination=`+s.Names.Events+` error="nothing acknowledged for `)
	require.Regexp(s.T, `allocation_retries_total\{reason="unacknowledged",system="kafka"\} [1-9]`, s.Get("/metrics"))

	orders := 1
	testbed.Eventually(s.T, func() bool {
		orders++
		s.Send("Allocate", fmt.Sprintf("orderid=spread%d", orders), "sku="+spread, "qty=1")
		answer := s.Get("/readyz")
		return strings.HasPrefix(answer, "200 ") && strings.Contains(answer, "not acknowledged for ") && strings.Contains(answer, "while others are; "+lacking)
	}, "others go on, so it is a note")

	require.NoError(s.T, cluster.Start(s.T.Context(), 2))
	s.AwaitReadyz("200 {\"ready\":true}\n")
}

// forgetsARefusal: an event was too large for its topic, and then the topic lacks replicas.
func forgetsARefusal(s *programtest.Service, cluster cluster, kept string) {
	admin := testbed.Admin(s.T, s.Names.Brokers)
	limit := func(c kadm.AlterConfig) {
		c.Name = "max.message.bytes"
		_, err := admin.AlterTopicConfigs(s.T.Context(), []kadm.AlterConfig{c}, s.Names.Events)
		require.NoError(s.T, err)
	}
	limit(kadm.AlterConfig{Op: kadm.SetConfig, Value: kadm.StringPtr("100")})
	s.Send("Allocate", "orderid=o2", "sku="+kept, "qty=1")
	s.AwaitReadyz("503 ", "publish to "+s.Names.Events+": MESSAGE_TOO_LARGE")
	cluster.Kill(2)
	limit(kadm.AlterConfig{Op: kadm.DeleteConfig})
	s.AwaitReadyz("503 ", `"reasons":["outbox: publish to `+s.Names.Events+`: nothing acknowledged for 1`, lacking+`"]`)
	require.NoError(s.T, cluster.Start(s.T.Context(), 2))
	s.AwaitReadyz("200 {\"ready\":true}\n")
}
