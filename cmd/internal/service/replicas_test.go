package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
)

// What /readyz says of the events topic is what keeps events back now: neither the metadata, nor
// what was the matter before.
func TestService_readyzSaysWhatKeepsEventsBack(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	s, cluster := startOnCluster(t)
	spread, kept := skusOfPartitions(0)[0], skusOfPartitions(1)[0]
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
	admin := programtest.NewAdmin(s.T, s.Names.Brokers)
	defer admin.Close()
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
func saysThatReplicasAreMissing(s *programtest.Service, cluster *kafka.Cluster, spread, kept string) {
	cluster.Kill(2)
	s.Send("Allocate", "orderid=o1", "sku="+kept, "qty=1")
	s.AwaitReadyz("503 ", "outbox: publish to events: nothing acknowledged for 1", lacking)
	require.Contains(s.T, s.Log.String(), `msg="publish failed, retrying" part=relay topic=events error="nothing acknowledged for `)
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
func forgetsARefusal(s *programtest.Service, cluster *kafka.Cluster, kept string) {
	admin := programtest.NewAdmin(s.T, s.Names.Brokers)
	defer admin.Close()
	limit := func(c kadm.AlterConfig) {
		c.Name = "max.message.bytes"
		_, err := admin.AlterTopicConfigs(s.T.Context(), []kadm.AlterConfig{c}, "events")
		require.NoError(s.T, err)
	}
	limit(kadm.AlterConfig{Op: kadm.SetConfig, Value: kadm.StringPtr("100")})
	s.Send("Allocate", "orderid=o2", "sku="+kept, "qty=1")
	s.AwaitReadyz("503 ", "publish to events: MESSAGE_TOO_LARGE")
	cluster.Kill(2)
	limit(kadm.AlterConfig{Op: kadm.DeleteConfig})
	s.AwaitReadyz("503 ", `"reasons":["outbox: publish to events: nothing acknowledged for 1`, lacking+`"]`)
	require.NoError(s.T, cluster.Start(s.T.Context(), 2))
	s.AwaitReadyz("200 {\"ready\":true}\n")
}

// startOnCluster starts a worker on three brokers. The events topic keeps its first partition on
// the first two, and its second on the first and the last, and takes no record on less than two.
func startOnCluster(t *testing.T) (*programtest.Service, *kafka.Cluster) {
	t.Helper()
	cluster := newCluster(t, "127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1")
	s := onCluster(t, cluster)
	makeTopic(t, cluster, "events", [][]int32{{1, 2}, {1, 3}})
	s.SetUp("2")
	return s, cluster
}

// onCluster is a worker that is not started.
func onCluster(t *testing.T, cluster *kafka.Cluster) *programtest.Service {
	t.Helper()
	return &programtest.Service{T: t, Group: "group", Names: programtest.Names{
		Commands: "commands", Events: "events", Route: "route", DeadLetters: "dlq", Brokers: strings.Join(cluster.Brokers(), ","),
	}}
}

// newCluster starts three brokers, which have these addresses on their other listener.
func newCluster(t *testing.T, advertised ...string) *kafka.Cluster {
	t.Helper()
	dir, sweeper, err := child.TempDir("allocation-cluster-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = sweeper.Close() })
	cluster, err := kafka.OpenCluster(t.Context(), dir, advertised)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cluster.Close() })
	return cluster
}

// makeTopic makes a topic whose partitions are on these brokers.
func makeTopic(t *testing.T, cluster *kafka.Cluster, name string, replicas [][]int32) {
	t.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(cluster.Brokers()...))
	require.NoError(t, err)
	defer admin.Close()
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, -1, -1
	for partition, on := range replicas {
		topic.ReplicaAssignment = append(topic.ReplicaAssignment,
			kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: int32(partition), Replicas: on})
	}
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(t.Context(), admin)
	require.NoError(t, err)
	require.Zero(t, answer.Topics[0].ErrorCode, answer.Topics[0].ErrorMessage)
}

// skusOfPartitions are products whose events go to a partition of two.
func skusOfPartitions(partition int) (skus []string) {
	to := kgo.StickyKeyPartitioner(nil).ForTopic("events")
	for _, sku := range []string{"CHAIR", "DESK", "LAMP", "SOFA", "TABLE", "SHELF", "BED", "STOOL"} {
		if to.Partition(&kgo.Record{Key: []byte(sku)}, 2) == partition {
			skus = append(skus, sku)
		}
	}
	return skus
}
