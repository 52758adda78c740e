package program_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/cmd/orders/program"
	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// run runs the program, and gives what it printed on both streams.
func run(t *testing.T, args ...string) (code int, printed string) {
	t.Helper()
	var out bytes.Buffer
	code = program.New(strings.NewReader(""), &out, &out).Run(t.Context(), args)
	return code, out.String()
}

// A variable that is set for another service does not reach this one.
func TestProgram_hasVariablesOfItsOwn(t *testing.T) {
	for _, name := range []string{"DATABASE_URL", "DATABASE_URL_FILE", "KAFKA_BROKERS", "COMMAND_TOPICS", "EVENTS_TOPIC", "HTTP_ADDR", "CART_TIME", "MAX_BATCH"} {
		t.Setenv(name, "of another")
	}
	code, printed := run(t, "worker")
	require.Equal(t, cli.ExitUsage, code)
	require.Equal(t, "orders: ORDERS_DATABASE_URL is not set; it, or ORDERS_DATABASE_URL_FILE, must be for a worker, such as postgres://user:password@host:5432/orders\n", printed)

	t.Setenv("ORDERS_DATABASE_URL", "postgres://me:hush@[broken/x")
	t.Setenv("ORDERS_EVENTS_TOPIC", "orders.commands")
	t.Setenv("ORDERS_OTHER_TOPICS", "stock=x,allocation.events=orders.commands")
	t.Setenv("ORDERS_KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
	_, printed = run(t, "worker")
	for _, says := range []string{
		"ORDERS_DATABASE_URL (not shown, it may hold a password) cannot be read",
		`--events-topic (ORDERS_EVENTS_TOPIC) is "orders.commands"; it must be a topic that is not used for anything else`,
		`--other-topics (ORDERS_OTHER_TOPICS) is "stock=x"; it must be NAME=TOPIC with a name of allocation.events, warehouse.commands`,
		`--other-topics (ORDERS_OTHER_TOPICS) is "allocation.events=orders.commands"; it must be a topic that is not a topic of this service itself`,
		"ORDERS_KAFKA_SASL_PASSWORD is not set",
	} {
		require.Contains(t, printed, says)
	}
	require.NotContains(t, printed, "hush")
	for others, says := range map[string]string{
		"allocation.events=x,allocation.events=y":  `"allocation.events=y"; it must be a name that is not there twice`,
		"allocation.events=x,warehouse.commands=x": `"warehouse.commands=x"; it must be a topic that is not that of allocation.events`,
		"allocation.events=warehouse.commands":     `"warehouse.commands=warehouse.commands"; it must be a topic that is not that of allocation.events`,
		"warehouse.commands=orders.commands.dlq":   `"warehouse.commands=orders.commands.dlq"; it must be a topic that is not a topic of this service itself`,
		"warehouse.commands=orders.commands":       `"warehouse.commands=orders.commands"; it must be a topic that is not a topic of this service itself`,
	} {
		_, printed = run(t, "worker", "--events-topic=orders.events", "--other-topics="+others)
		require.Contains(t, printed, "--other-topics (ORDERS_OTHER_TOPICS) is "+says)
	}
	_, printed = run(t, "worker", "--cart-time=1ms")
	require.Contains(t, printed, `--cart-time (ORDERS_CART_TIME) is "1ms"; it must be a time of at least 1s`)

	parser := program.New(nil, nil, nil).Parser()
	require.NoError(t, kong.Visit(parser.Model, func(v kong.Visitable, next kong.Next) error {
		if flag, ok := v.(*kong.Flag); ok {
			for _, variable := range flag.Envs {
				require.Equal(t, 1, strings.Count(variable, "ORDERS_"), variable)
				require.True(t, strings.HasPrefix(variable, "ORDERS_"), variable)
			}
		}
		return next(nil)
	}))
}

// Its tables are in a schema of its own: it may share a database with another service.
func TestMigrate_beside(t *testing.T) {
	database := testbed.Migrated(t)
	t.Setenv("ORDERS_DATABASE_URL", database)
	tables := func(schema string) (n int) {
		require.NoError(t, testbed.Connect(t, database).QueryRow(t.Context(), `select count(*) from pg_tables where schemaname = $1 and tablename !~ '^migrations_'`, schema).Scan(&n))
		return n
	}
	of := tables("allocation")
	for _, step := range []struct{ args, says string }{
		{"migrate up", "the schema is at engine "}, {"migrate up", "up to date"}, {"migrate status", "00001_orders.sql"},
		{"migrate down --line products --to 0", "engine or orders"}, {"migrate down --line orders --to 0", "customers (rows: 0)"},
		{"migrate down --line orders --to 0 --yes", " and orders 0; lost: "}, {"migrate up", "applied orders 1"}, {"migrate down --to 0 --yes", "the schema is at engine 0 and orders 0"},
	} {
		_, printed := run(t, strings.Fields(step.args)...)
		require.Contains(t, printed, step.says, step.args)
	}
	require.Zero(t, tables("orders"))
	require.Equal(t, of, tables("allocation"))
}
