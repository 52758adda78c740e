package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
	"allocation/deploy/testbed/proxy"
)

// cluster is three brokers, and a way to each that a test can close.
type cluster struct {
	*kafka.Cluster
	ways [3]*proxy.Proxy
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	dir, sweeper, err := child.TempDir("allocation-cluster-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = sweeper.Close() })
	var c cluster
	for n := range c.ways {
		c.ways[n] = testbed.Proxy(t)
	}
	c.Cluster, err = kafka.OpenCluster(t.Context(), dir, c.addresses())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	for n, way := range c.ways {
		way.Lead(c.Back(n)[0])
	}
	return c
}

// addresses are those of the ways.
func (c cluster) addresses() (addresses []string) {
	for _, way := range c.ways {
		addresses = append(addresses, way.Addr())
	}
	return addresses
}

// worker is one that is not started, whose names begin alike.
func (c cluster) worker(t *testing.T, prefix string) *programtest.Service {
	t.Helper()
	return &programtest.Service{T: t, Group: prefix + "group", Names: programtest.Names{
		Commands: prefix + "commands", Events: prefix + "events", Route: prefix + "route", DeadLetters: prefix + "dlq",
		Brokers: strings.Join(c.Brokers(), ","),
	}}
}

// makeTopic makes a topic whose partitions are on these brokers.
func (c cluster) makeTopic(t *testing.T, name string, replicas ...[]int32) {
	t.Helper()
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, -1, -1
	for partition, on := range replicas {
		topic.ReplicaAssignment = append(topic.ReplicaAssignment,
			kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: int32(partition), Replicas: on})
	}
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(t.Context(), testbed.Client(t, strings.Join(c.Brokers(), ",")))
	require.NoError(t, err)
	require.Zero(t, answer.Topics[0].ErrorCode, answer.Topics[0].ErrorMessage)
}

// oneOfEach are products whose records go to the partitions of a topic, in order.
func oneOfEach(topic string, partitions int) []string {
	to := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	skus, found := make([]string, partitions), map[int]bool{}
	for n := 0; len(found) < partitions; n++ {
		sku := fmt.Sprintf("SKU%d", n)
		partition := to.Partition(&kgo.Record{Key: []byte(sku)}, partitions)
		skus[partition], found[partition] = sku, true
	}
	return skus
}
