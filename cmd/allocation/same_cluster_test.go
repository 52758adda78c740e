package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// With the Kafka of another environment all topics seem to be gone or made again, and nothing may
// be decided, or called right, by that.
func TestOperators_areRefusedTheKafkaOfAnotherEnvironment(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	require.Eventually(t, func() bool { return s.busy().Published == 1 }, 60*time.Second, 50*time.Millisecond)
	before := s.listed()
	staging := "--kafka-brokers=" + testbed.StartKafka(t).Brokers()
	runProgram(t, append(append([]string{"topics", "create", "--partitions=1"}, s.names.flags(t)...), staging)...).requireDone(t)

	const says = "one of KAFKA_BROKERS and DATABASE_URL is of another environment"
	for _, args := range [][]string{
		{"offsets", "list"},
		{"offsets", "accept", "--execute", "--why=retention was 1 h"},
		{"offsets", "reset", "--topic=" + s.names.commands, "--to-earliest", "--execute"},
		{"verify", "--from-topic", "--events-topic=" + s.names.events},
		{"dlq", "lost", "--dead-letter-topic=" + s.names.deadLetters},
	} {
		requireOutcome(t, runProgram(t, append(args, staging)...), cli.ExitFailed, says)
	}
	require.Contains(t, runProgram(t, "verify", staging).requireDone(t), "not checked: whether a partition is in quarantine is not known: ")
	require.Equal(t, before, s.listed(), "all positions are where they were")
}
