package testbed

import (
	"context"
	"maps"
	"syscall"
	"testing"
)

// KafkaServer is a Kafka server of a test's own.
type KafkaServer struct{ private }

// KafkaSettings are settings of server.properties.
type KafkaSettings map[string]string

// StartKafka starts a Kafka server for one test, with the usual settings and those given. It is
// removed when the test has ended.
func StartKafka(t testing.TB, settings ...KafkaSettings) *KafkaServer {
	t.Helper()
	server, err := openKafka(context.WithoutCancel(t.Context()), merge(settings))
	return &KafkaServer{newPrivate(t, server, err)}
}

// Brokers is the server's address, the same after a restart.
func (s *KafkaServer) Brokers() string { return s.server.addr }

// Stop stops the server in an orderly way.
func (s *KafkaServer) Stop() { s.t.Helper(); s.signal(syscall.SIGTERM) }

func merge[M ~map[string]string](all []M) map[string]string {
	merged := make(map[string]string)
	for _, settings := range all {
		maps.Copy(merged, settings)
	}
	return merged
}
