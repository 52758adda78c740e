package incidents

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// staff is a service whose workers are processes of their own.
func staff(t *testing.T) *programtest.Service {
	t.Helper()
	s := programtest.NewService(t)
	programtest.NewMigratedDatabase(t)
	s.Names.Create(t, "--partitions=3").RequireDone(t)
	return s
}

// start starts a worker that dies where a fault says so, and waits until it is ready.
func start(s *programtest.Service, program, fault string) *testbed.Process {
	s.T.Helper()
	path, err := testbed.Build(program)
	require.NoError(s.T, err)
	p := testbed.StartWorker(s.T, path,
		"PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"), "KAFKA_BROKERS="+s.Names.Server(s.T), "DATABASE_URL="+s.DatabaseURL(),
		"KAFKA_GROUP_ID="+s.Group, "COMMAND_TOPICS="+s.Names.Commands, "EVENTS_TOPIC="+s.Names.Events, "DEAD_LETTER_TOPIC="+s.Names.DeadLetters,
		"LOG_FORMAT=text", "ALLOCATION_FAULT="+fault)
	testbed.Eventually(s.T, func() bool { return strings.HasPrefix(p.Get("/readyz"), "200 ") })
	return p
}

const (
	worker = "allocation/cmd/allocation"
	faulty = "allocation/cmd/allocation/e2e/faulty"
)

func TestIncident_aWorkerIsFrozen(t *testing.T) {
	t.Parallel()
	s := staff(t)
	p := start(s, worker, "")
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	awaitReported(s, 1)
	p.Signal(syscall.SIGSTOP)
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	testbed.Eventually(t, func() bool { return strings.Contains(run(s, "allocation status").Out, "has told nothing since") })
	requireAnswer(s, "A worker is frozen", cli.ExitFailed)
	p.Signal(syscall.SIGCONT)
	awaitReported(s, 2)
}

// The worker is killed when Kafka has an event, and before it is known that Kafka has it. The next
// one publishes the event again.
func TestIncident_aConsumerSawAnEventTwice(t *testing.T) {
	t.Parallel()
	s := staff(t)
	p := start(s, faulty, "produced:2:kill")
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=delivery-1")
	s.AwaitAtRest(1)
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=order-1")
	testbed.Eventually(t, func() bool { return !p.Running() })
	start(s, faulty, "")
	awaitReported(s, 2)
	var event struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(s.Tail(3, "--json")[2]), &event))
	topic, _, _ := strings.Cut(event.ID, ".")
	requireAnswer(s, "A consumer saw an event twice", cli.ExitDone, "hGb1yVQhT8Wn0n0mXo7ZLw", topic)
}
