package programtest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// Names are topics of a test's own, which do not exist yet.
type Names struct {
	Commands, Events, Route, DeadLetters string

	Brokers string // empty: the shared server
}

// Server is the address of the server that has the topics.
func (n Names) Server(t *testing.T) string {
	t.Helper()
	if n.Brokers != "" {
		return n.Brokers
	}
	return testbed.Kafka(t)
}

// NewNames makes up names. The topics are deleted at the test's end.
func NewNames(t *testing.T) Names {
	t.Helper()
	id := uuid.NewString()
	names := Names{Commands: "commands-" + id, Events: "events-" + id, Route: "route-" + id, DeadLetters: "dlq-" + id}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_, err := testbed.Admin(t, testbed.Kafka(t)).DeleteTopics(ctx, names.Commands, names.Events, names.Route, names.DeadLetters)
		require.NoError(t, err)
	})
	return names
}

// Flags are the flags of the program that name the topics and their server.
func (n Names) Flags(t *testing.T) []string {
	t.Helper()
	return []string{
		"--kafka-brokers=" + n.Server(t), "--command-topics=" + n.Commands, "--events-topic=" + n.Events,
		"--event-routes=Allocated=" + n.Route, "--dead-letter-topic=" + n.DeadLetters,
	}
}

// Create creates the topics that are missing.
func (n Names) Create(t *testing.T, more ...string) Outcome {
	t.Helper()
	return Run(t, append(append([]string{"topics", "create"}, more...), n.Flags(t)...)...)
}
