package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/migrate"
	"allocation/deploy/testbed"
	"allocation/migrations"
)

func TestMigrate_upStatusDown(t *testing.T) {
	database := testbed.Database(t)
	t.Setenv("DATABASE_URL", database)

	require.Contains(t, runProgram(t, "migrate", "status").requireDone(t), "missing: run `allocation migrate up`")
	require.Contains(t, runProgram(t, "migrate", "up").requireDone(t), "up to date")
	again := runProgram(t, "migrate", "up", "--json")
	require.Equal(t, "[]\n", again.requireDone(t))
	require.Empty(t, again.err, "the roles have all that they need")

	var all []migrate.Status
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, "migrate", "status", "--json").requireDone(t)), &all))
	require.Len(t, all, len(migrations.Versions("engine"))+len(migrations.Versions("products")))
	for _, m := range all {
		require.True(t, m.Applied)
	}
	require.Contains(t, runProgram(t, "migrate", "down", "--to=0", "--yes").requireDone(t), "the schema is at engine 0 and products 0")
	require.Empty(t, tables(t, database))
}

// What another program's tables are told from.
func TestMigrate_knowsTheTablesThatItMakes(t *testing.T) {
	database := testbed.Database(t)
	t.Setenv("DATABASE_URL", database)
	runProgram(t, "migrate", "up").requireDone(t)
	require.Equal(t, tables(t, database), knownTables())
}

func knownTables() map[string]bool {
	known := map[string]bool{}
	for _, o := range migrations.Objects() {
		if o.Kind == migrations.Table {
			known[o.Name] = true
		}
	}
	return known
}

func TestMigrateDown_saysWhatIsLost(t *testing.T) {
	database := testbed.Database(t)
	t.Setenv("DATABASE_URL", database)
	runProgram(t, "migrate", "up").requireDone(t)
	requireOutcome(t, runProgram(t, "migrate", "down", "--yes", "--to=1"), cli.ExitUsage, "say --line engine or --line products")

	for i := len(migrations.Lines) - 1; i >= 0; i-- {
		for version := migrations.Latest()[i]; version > 0; version-- {
			args := []string{"migrate", "down", "--line=" + migrations.Lines[i], fmt.Sprintf("--to=%d", version-1)}
			before := tables(t, database)
			o := runProgram(t, args...)
			require.Equal(t, cli.ExitUsage, o.code)
			require.Equal(t, before, tables(t, database), "nothing happens without --yes")

			runProgram(t, append(args, "--yes")...).requireDone(t)
			after := tables(t, database)
			for table := range before {
				if !after[table] {
					require.Regexp(t, `\b`+table+` \(rows: [01]\)`, o.err)
				}
			}
			require.Less(t, len(after), len(before), "each migration makes a table")
		}
	}
	o := runProgram(t, "migrate", "down", "--yes", "--to=0")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "nothing was undone: the schema is at engine 0 and products 0")
}

// tables are the tables of the schema, without the days of the outbox and goose's own.
func tables(t *testing.T, database string) map[string]bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `select relname from pg_class where relkind in ('r', 'p') and not relispartition
		and relnamespace = to_regnamespace('allocation') and relname not like 'migrations\_%'`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
	}
	return found
}
