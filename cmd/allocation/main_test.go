package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// outcome is what a run of the program left.
type outcome struct {
	code     int
	out, err string
}

func runProgram(t *testing.T, args ...string) outcome {
	t.Helper()
	return runWith(t.Context(), "", args...)
}

func runWith(ctx context.Context, in string, args ...string) outcome {
	var out, err bytes.Buffer
	p := program.New(strings.NewReader(in), &out, &err, service.Hooks{})
	return outcome{code: p.Run(ctx, args), out: out.String(), err: err.String()}
}

// startLimit is for a worker that must not start. One that does would run for ever.
const startLimit = time.Minute

// refuseWorker runs a worker that must not start.
func refuseWorker(t *testing.T, flags ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	o := runWith(ctx, "", append([]string{"worker", "--http-addr=127.0.0.1:0"}, flags...)...)
	require.NoError(t, ctx.Err(), "the worker starts, or waits: %s", o.err)
	return o
}

// requireDone returns what the program printed.
func (o outcome) requireDone(t *testing.T) string {
	t.Helper()
	require.Equal(t, cli.ExitDone, o.code, "%s%s", o.out, o.err)
	return o.out
}

// topicNames are topics of a test's own, which do not exist yet.
type topicNames struct {
	commands, events, route, deadLetters string

	brokers string // empty: the shared server
}

// server is the address of the server that has the topics.
func (n topicNames) server(t *testing.T) string {
	t.Helper()
	if n.brokers != "" {
		return n.brokers
	}
	return testbed.Kafka(t)
}

func newTopicNames(t *testing.T) topicNames {
	t.Helper()
	id := uuid.NewString()
	names := topicNames{commands: "commands-" + id, events: "events-" + id, route: "route-" + id, deadLetters: "dlq-" + id}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		admin := newAdmin(t, testbed.Kafka(t))
		_, err := admin.DeleteTopics(ctx, names.commands, names.events, names.route, names.deadLetters)
		require.NoError(t, err)
		admin.Close()
	})
	return names
}

func newAdmin(t *testing.T, brokers string) *kadm.Client {
	t.Helper()
	admin, err := kadm.NewOptClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.MetadataMinAge(10*time.Millisecond))
	require.NoError(t, err)
	return admin
}

func (n topicNames) flags(t *testing.T) []string {
	t.Helper()
	return []string{
		"--kafka-brokers=" + n.server(t), "--command-topics=" + n.commands, "--events-topic=" + n.events,
		"--event-routes=Allocated=" + n.route, "--dead-letter-topic=" + n.deadLetters,
	}
}
