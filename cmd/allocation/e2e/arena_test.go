package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/checker"
	"allocation/deploy/testbed"
)

// arena is a private set of topics and a database, in which workers run.
type arena struct {
	t        testing.TB
	program  string
	brokers  string
	database string
	commands []string // topics; bare records of the second are ChangeBatchQuantity
	events   string
	letters  string
	group    string
	session  time.Duration

	client *kgo.Client // produces to the partition that a record names
	admin  *kadm.Client
	db     *pgxpool.Pool
}

func setup(t testing.TB, partitions int32) *arena {
	t.Helper()
	a := arenaOn(t, partitions, testbed.Migrated(t))
	a.audit()
	return a
}

// setupOn makes the tables, too.
func setupOn(t testing.TB, partitions int32, database string) *arena {
	t.Helper()
	a := arenaOn(t, partitions, database)
	a.subcommand("migrate", "up")
	a.audit()
	return a
}

func arenaOn(t testing.TB, partitions int32, database string) *arena {
	t.Helper()
	a := &arena{
		t: t, program: binary(t), brokers: testbed.Kafka(t), database: database, session: sessionTimeout(t),
		commands: []string{testbed.Topic(t, "commands", partitions), testbed.Topic(t, "quantities", partitions)},
		events:   testbed.Topic(t, "events", partitions), letters: testbed.Topic(t, "letters", 1),
	}
	a.group = "group-" + a.commands[0]
	a.connect()
	return a
}

func (a *arena) connect() {
	var err error
	a.client, err = kgo.NewClient(kgo.SeedBrokers(strings.Split(a.brokers, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.ProducerLinger(0))
	require.NoError(a.t, err)
	a.t.Cleanup(a.client.Close)
	a.admin = kadm.NewClient(a.client)
	a.db, err = pgxpool.New(context.Background(), a.database)
	require.NoError(a.t, err)
	a.t.Cleanup(a.db.Close)
}

// environment is what a worker is told. Of this process' own variables it gets none that configure
// a worker.
func (a *arena) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"KAFKA_BROKERS=" + a.brokers, "DATABASE_URL=" + a.database, "KAFKA_GROUP_ID=" + a.group,
		"KAFKA_SESSION_TIMEOUT=" + a.session.String(), "COMMAND_TOPICS=" + a.commands[0] + "," + a.commands[1] + "=ChangeBatchQuantity",
		"EVENTS_TOPIC=" + a.events, "DEAD_LETTER_TOPIC=" + a.letters, "APPLIERS=2", "LOG_FORMAT=text",
	}
}

// subcommand runs one to its end, and returns what it printed.
func (a *arena) subcommand(args ...string) string {
	a.t.Helper()
	cmd := exec.Command(a.program, args...)
	cmd.Env = a.environment()
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		a.t.Fatalf("%v: %v: %s%s", args, err, out, exit.Stderr)
	}
	require.NoError(a.t, err)
	return string(out)
}

// run is what the checker must know.
func (a *arena) run() checker.Run {
	return checker.Run{
		Brokers: strings.Split(a.brokers, ","), Database: a.database,
		Commands: map[string]string{a.commands[0]: "", a.commands[1]: "ChangeBatchQuantity"},
		Events:   a.events, Letters: a.letters, Group: a.group, Source: "/allocation",
	}
}

// history reads what is left of the run.
func (a *arena) history() *checker.History {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	h, err := checker.Read(ctx, a.run())
	require.NoError(a.t, err)
	return h
}

// check waits until everything is applied, published and reported, and has the run checked.
func (a *arena) check(limit time.Duration) *checker.History {
	a.t.Helper()
	await(a.t, limit, a.done, "everything is applied, published and reported")
	h := a.history()
	if violations := checker.Check(h); len(violations) > 0 {
		a.t.Fatal(checker.Report(violations))
	}
	a.t.Logf("checked: %d commands, %d event records (%d in the outbox), %d dead letters, %d products", len(h.Commands), len(h.Events),
		len(h.Tables.Outbox)-len(h.Tables.Letters), len(h.Tables.Letters), len(h.Tables.Products))
	return h
}
