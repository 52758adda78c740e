package program_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/cmd/warehouse/program"
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
	for _, name := range []string{"DATABASE_URL", "KAFKA_BROKERS", "COMMAND_TOPICS", "EVENTS_TOPIC", "ORDERS_EVENTS_TOPIC", "HTTP_ADDR", "MAX_BATCH"} {
		t.Setenv(name, "of another")
	}
	code, printed := run(t, "worker")
	require.Equal(t, cli.ExitUsage, code)
	require.Equal(t, "warehouse: WAREHOUSE_DATABASE_URL is not set; it, or WAREHOUSE_DATABASE_URL_FILE, must be for a worker, such as postgres://user:password@host:5432/warehouse\n", printed)

	t.Setenv("WAREHOUSE_OTHER_TOPICS", "stock=x")
	_, printed = run(t, "worker")
	require.Contains(t, printed, "it must be NAME=TOPIC with a name of allocation.events, orders.events, warehouse.commands")

	parser := program.New(nil, nil, nil).Parser()
	require.NoError(t, kong.Visit(parser.Model, func(v kong.Visitable, next kong.Next) error {
		if flag, ok := v.(*kong.Flag); ok {
			for _, variable := range flag.Envs {
				require.True(t, strings.HasPrefix(variable, "WAREHOUSE_"), variable)
			}
		}
		return next(nil)
	}))
}

func TestSimulate_refusesWhatCannotBe(t *testing.T) {
	code, printed := run(t, "simulate", "--skus=CHAIR,,LAMP", "--stock=0", "--rate=0", "--shipments=-1")
	require.Equal(t, cli.ExitUsage, code)
	for _, says := range []string{`--skus is "CHAIR,,LAMP"; it must be names of 1 to 235 bytes`, `--stock is "0"`, `--rate is "0"`, `--shipments is "-1"`} {
		require.Contains(t, printed, says)
	}
}

// Its tables are in a schema of its own: it may share a database with other services.
func TestMigrate_beside(t *testing.T) {
	t.Setenv("WAREHOUSE_DATABASE_URL", testbed.Migrated(t))
	for _, step := range []struct{ args, says string }{
		{"migrate up", "the schema is at engine "}, {"migrate up", "up to date"}, {"migrate status", "00001_ledgers.sql"},
		{"ledger", "SKU"}, {"ledger CHAIR", `there is no ledger of ["CHAIR"]`},
		{"migrate down --line warehouse --to 0 --yes", " and warehouse 0"}, {"migrate up", "applied warehouse 1"},
	} {
		_, printed := run(t, strings.Fields(step.args)...)
		require.Contains(t, printed, step.says, step.args)
	}
}
