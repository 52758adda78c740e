package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// services are all three in one database, each in a schema of its own, with topics that only they
// use. A test plays the customers.
type services struct {
	t                 *testing.T
	programs          map[string]string
	brokers, database string

	commands, facts, letters          string // of stock
	orders, orderEvents, orderLetters string
	tasks, houseEvents, houseLetters  string
	client                            *kgo.Client
	db                                *pgxpool.Pool
	house                             *testbed.Process // the worker of the warehouse
}

// setup starts a worker of each service.
func setup(t *testing.T) *services {
	t.Helper()
	t.Parallel()
	s := &services{t: t, programs: map[string]string{}, brokers: testbed.Kafka(t), database: testbed.Migrated(t)}
	for topic, name := range map[*string]string{
		&s.commands: "warehouse.commands", &s.facts: "allocation.events", &s.orders: "orders.commands", &s.orderEvents: "orders.events",
		&s.tasks: "warehouse.tasks", &s.houseEvents: "warehouse.events",
	} {
		*topic = testbed.Topic(t, name, 3)
	}
	for topic, name := range map[*string]string{&s.letters: "warehouse.commands.dlq", &s.orderLetters: "orders.commands.dlq", &s.houseLetters: "warehouse.tasks.dlq"} {
		*topic = testbed.Topic(t, name, 1)
	}
	for _, name := range []string{"allocation", "orders", "warehouse"} {
		var err error
		s.programs[name], err = testbed.Build("allocation/cmd/" + name)
		require.NoError(t, err)
	}
	var err error
	s.client, err = kgo.NewClient(kgo.SeedBrokers(strings.Split(s.brokers, ",")...), kgo.ProducerLinger(0))
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	s.db, err = pgxpool.New(context.Background(), s.database)
	require.NoError(t, err)
	t.Cleanup(s.db.Close)
	s.run("orders", "migrate", "up")
	s.run("warehouse", "migrate", "up")
	testbed.StartWorker(t, s.programs["allocation"], s.variables()...)
	testbed.StartPrefixedWorker(t, "ORDERS_", s.programs["orders"], s.variables()...)
	s.startHouse()
	return s
}

func (s *services) startHouse() {
	s.house = testbed.StartPrefixedWorker(s.t, "WAREHOUSE_", s.programs["warehouse"], s.variables()...)
}

// variables are those of all services: one's never reach another.
func (s *services) variables() []string {
	all := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for _, of := range []struct{ prefix, commands, events, letters string }{
		{"", s.commands, s.facts, s.letters}, {"ORDERS_", s.orders, s.orderEvents, s.orderLetters}, {"WAREHOUSE_", s.tasks, s.houseEvents, s.houseLetters},
	} {
		for name, value := range map[string]string{
			"KAFKA_BROKERS": s.brokers, "DATABASE_URL": s.database, "KAFKA_GROUP_ID": of.commands, "COMMAND_TOPICS": of.commands,
			"EVENTS_TOPIC": of.events, "DEAD_LETTER_TOPIC": of.letters, "APPLIERS": "2", "LOG_FORMAT": "text", "KAFKA_SESSION_TIMEOUT": "3s",
		} {
			all = append(all, of.prefix+name+"="+value)
		}
	}
	stock := "allocation.events=" + s.facts + ",warehouse.commands=" + s.commands
	return append(all, "ORDERS_OTHER_TOPICS="+stock, "WAREHOUSE_OTHER_TOPICS="+stock+",orders.events="+s.orderEvents)
}

// command is a run of a program.
func (s *services) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(s.programs[program], args...)
	cmd.Env = s.variables()
	return cmd
}

// run runs a subcommand to its end, and gives what it printed.
func (s *services) run(program string, args ...string) string {
	s.t.Helper()
	out, err := s.command(program, args...).CombinedOutput()
	require.NoError(s.t, err, "%s", out)
	return string(out)
}

// customer sends a command to orders.
func (s *services) customer(customer, kind, format string, args ...any) {
	s.t.Helper()
	r := &kgo.Record{Topic: s.orders, Key: []byte(customer), Value: fmt.Appendf(nil, `{"customerid":%q,`+format+`}`, append([]any{customer}, args...)...), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte("orders.v1." + kind)}, {Key: "ce_id", Value: []byte(uuid.NewString())},
	}}
	require.NoError(s.t, s.client.ProduceSync(s.t.Context(), r).FirstErr())
}

// ask is what a query of one text answers.
func (s *services) ask(sql string, args ...any) (answer string) {
	s.t.Helper()
	require.NoError(s.t, s.db.QueryRow(s.t.Context(), sql, args...).Scan(&answer), sql)
	return answer
}

// await waits until a query of one text gives this one. All adds up meanwhile.
func (s *services) await(want, sql string, args ...any) {
	s.t.Helper()
	got := ""
	testbed.Eventually(s.t, func() bool {
		s.adds()
		got = s.ask(sql, args...)
		return got == want
	}, "%s %v is %s", sql, args, want)
}

// differSQL are the batches that do not add up, at one snapshot of both services.
const differSQL = `
select coalesce(string_agg(format('%s: received %s, lost %s, at stock %s, dispatched %s', h.ref, h.received, warehouse.lost_at(h.told, b.revision), b.qty, d.qty), '; '), '')
from warehouse.ledger_batches(null) h
join allocation.batches b using (ref)
cross join lateral (select coalesce(sum(l.qty), 0) as qty from allocation.lines l where l.batchref = h.ref and l.state = 'dispatched') d
where h.received - warehouse.lost_at(h.told, b.revision) is distinct from b.qty + d.qty`

// adds requires that the warehouse's ledger adds up with stock's tables.
func (s *services) adds() {
	s.t.Helper()
	require.Empty(s.t, s.ask(differSQL))
}
