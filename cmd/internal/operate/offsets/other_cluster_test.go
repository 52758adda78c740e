package offsets_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// With the Kafka of another environment all topics seem to be gone or made again, and nothing may
// be decided, or called right, by that.
func TestOperators_areRefusedTheKafkaOfAnotherEnvironment(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	testbed.Eventually(t, func() bool { return s.Busy().Published == 1 })
	before := s.Positions()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("staging"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	names := s.Names
	names.Brokers = cluster.ListenAddrs()[0]
	names.Create(t, "--partitions=1").RequireDone(t)
	staging := "--kafka-brokers=" + names.Brokers

	const says = "the brokers or the database are of another environment"
	for _, args := range [][]string{
		{"offsets", "list"},
		{"offsets", "accept", "--execute", "--why=retention was 1 h"},
		{"offsets", "reset", "--topic=" + s.Names.Commands, "--to-earliest", "--execute"},
		{"verify", "--from-topic", "--events-topic=" + s.Names.Events},
		{"dlq", "lost", "--dead-letter-topic=" + s.Names.DeadLetters},
	} {
		programtest.Run(t, append(args, staging)...).RequireFailed(t, says)
	}
	programtest.Run(t, "verify", staging).RequireDone(t, "not checked: whether a partition is in quarantine is not known: ")
	require.Equal(t, before, s.Positions(), "all positions are where they were")
}
