package offsets_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
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
	staging := "--kafka-brokers=" + testbed.StartKafka(t).Brokers()
	programtest.Run(t, append(append([]string{"topics", "create", "--partitions=1"}, s.Names.Flags(t)...), staging)...).RequireDone(t)

	const says = "one of KAFKA_BROKERS and DATABASE_URL is of another environment"
	for _, args := range [][]string{
		{"offsets", "list"},
		{"offsets", "accept", "--execute", "--why=retention was 1 h"},
		{"offsets", "reset", "--topic=" + s.Names.Commands, "--to-earliest", "--execute"},
		{"verify", "--from-topic", "--events-topic=" + s.Names.Events},
		{"dlq", "lost", "--dead-letter-topic=" + s.Names.DeadLetters},
	} {
		programtest.RequireOutcome(t, programtest.Run(t, append(args, staging)...), cli.ExitFailed, says)
	}
	require.Contains(t, programtest.Run(t, "verify", staging).RequireDone(t), "not checked: whether a partition is in quarantine is not known: ")
	require.Equal(t, before, s.Positions(), "all positions are where they were")
}
