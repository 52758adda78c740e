package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/internal/sender"
	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
)

// Where a partition has no leader, its customers are told to ask again, and nobody else waits for
// them, however many they are.
func TestAPI_goesOnWhereAPartitionHasNoLeader(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	dir, sweeper, err := child.TempDir("allocation-cluster-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = sweeper.Close() })
	three, err := kafka.OpenCluster(t.Context(), dir, []string{"127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1"}) // nobody goes there
	require.NoError(t, err)
	t.Cleanup(func() { _ = three.Close() })
	s := newService(t, strings.Join(three.Brokers(), ","))
	const topic = "alone"
	makeAlone(t, s.brokers, topic)
	s.variables = append(s.variables, "ORDERS_COMMAND_TOPICS="+topic)
	c := s.startAPI()
	var customers [3]string // one of each partition
	for n := 0; n < 100; n++ {
		name := fmt.Sprint("customer", n)
		customers[sender.PartitionOf(topic, []byte(name), 3)] = name
	}
	add := func(partition int) *reply { return c.add(customers[partition]+".1", "CHAIR") }
	for partition := range customers {
		testbed.Eventually(t, func() bool { return add(partition).status == http.StatusAccepted })
	}

	three.Kill(2)
	admin := testbed.Admin(t, strings.Join(three.Brokers(), ","))
	testbed.Eventually(t, func() bool {
		topics, err := admin.ListTopics(t.Context(), topic)
		return err == nil && topics[topic].Partitions[2].Leader < 0
	})
	var waiting sync.WaitGroup
	said := make(chan string, 200)
	for range cap(said) {
		waiting.Go(func() {
			answer := add(2)
			said <- fmt.Sprint(answer.status, " ", answer.text("detail"))
		})
	}
	ended := make(chan struct{})
	go func() { waiting.Wait(); close(ended) }()
	for going, n := true, 0; going; n++ {
		select {
		case <-ended:
			going = false
			require.Greater(t, n, 10)
		default:
			require.Equal(t, http.StatusAccepted, add(n%2).status)
		}
	}
	close(said)
	refused := 0
	for answer := range said {
		require.Contains(t, answer, "503 ")
		if strings.Contains(answer, "others wait just now") {
			refused++
		}
	}
	require.Positive(t, refused, "they wait for a place of their own")
	require.NoError(t, three.Start(t.Context(), 2))
	testbed.Eventually(t, func() bool { return add(2).status == http.StatusAccepted })
}

// makeAlone makes a topic each of whose three partitions is on one broker only.
func makeAlone(t *testing.T, brokers, name string) {
	t.Helper()
	request, topic := kmsg.NewPtrCreateTopicsRequest(), kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, -1, -1
	for partition := range int32(3) {
		topic.ReplicaAssignment = append(topic.ReplicaAssignment,
			kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: partition, Replicas: []int32{partition + 1}})
	}
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(t.Context(), testbed.Client(t, brokers))
	require.NoError(t, err)
	require.Zero(t, answer.Topics[0].ErrorCode, answer.Topics[0].ErrorMessage)
}
