package e2e

import (
	"context"
	"net/url"
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
	migrate := exec.Command(a.program, "migrate", "up")
	migrate.Env = a.environment()
	out, err := migrate.CombinedOutput()
	require.NoError(t, err, string(out))
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
		"EVENTS_TOPIC=" + a.events, "DEAD_LETTER_TOPIC=" + a.letters, "HTTP_ADDR=127.0.0.1:0", "APPLIERS=2", "LOG_FORMAT=text",
	}
}

// databaseAs is the database's URL for a worker whose connections bear its name.
func (a *arena) databaseAs(name string) string {
	a.t.Helper()
	parsed, err := url.Parse(a.database)
	require.NoError(a.t, err)
	query := parsed.Query()
	query.Set("application_name", name)
	parsed.RawQuery = query.Encode()
	return parsed.String()
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
