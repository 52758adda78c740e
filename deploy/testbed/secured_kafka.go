package testbed

import (
	"context"
	"fmt"
	"testing"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed/kafka"
)

// SecuredKafka is a Kafka server of a test's own with more listeners than the plain one, on which
// everybody may do everything. It runs by the programs of this machine, never in a container: it
// reads the test's files.
type SecuredKafka struct {
	KafkaServer
	node *kafka.Server
}

// StartSecuredKafka starts it with settings for its listeners, and SCRAM credentials such as
// SCRAM-SHA-512=[name=me,password=hush].
func StartSecuredKafka(t testing.TB, settings KafkaSettings, listeners []kafka.Listener, scram []string) *SecuredKafka {
	t.Helper()
	dir, sweeper, err := child.TempDir("allocation-kafka-*")
	if err != nil {
		t.Fatal(err)
	}
	node, err := kafka.OpenWith(context.WithoutCancel(t.Context()), dir, settings, listeners, scram)
	if err != nil {
		_ = sweeper.Close()
		t.Fatal(fmt.Errorf("Kafka for tests: %w", err))
	}
	started := &server{controls: swept{node, sweeper}, addr: node.Brokers()}
	return &SecuredKafka{KafkaServer{newPrivate(t, started, nil)}, node}
}

// Address is where a listener is.
func (s *SecuredKafka) Address(listener string) string { return s.node.Address(listener) }
