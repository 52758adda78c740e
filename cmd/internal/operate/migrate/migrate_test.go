package migrate_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/migrations"
	"allocation/store/products"
)

func TestMigrate_upStatusDown(t *testing.T) {
	t.Parallel()
	database := programtest.NewDatabase(t)

	require.Contains(t, programtest.Run(t, "migrate", "status").RequireDone(t), "missing: run `allocation migrate up`")
	require.Contains(t, programtest.Run(t, "migrate", "up").RequireDone(t), "up to date")
	again := programtest.Run(t, "migrate", "up", "--json")
	require.Equal(t, "[]\n", again.RequireDone(t))
	require.Empty(t, again.Err, "the roles have all that they need")

	var all []migrations.Migration
	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, "migrate", "status", "--json").RequireDone(t)), &all))
	require.Len(t, all, len(lines[0].Versions())+len(lines[1].Versions()))
	for _, m := range all {
		require.True(t, m.Applied)
	}
	require.Equal(t, knownTables(), programtest.Tables(t, database))
	require.Contains(t, programtest.Run(t, "migrate", "down", "--to=0", "--yes").RequireDone(t), "the schema is at engine 0 and products 0")
	require.Empty(t, programtest.Tables(t, database))
}

var lines = products.Service.Lines()

// knownTables are what another program's tables are told from.
func knownTables() map[string]bool {
	known := map[string]bool{}
	for _, o := range lines.Objects() {
		if o.Kind == migrations.Table {
			known[o.Name] = true
		}
	}
	return known
}

func TestMigrateDown_saysWhatIsLost(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	programtest.Run(t, "migrate", "down", "--yes", "--to=1").RequireMisuse(t, "say --line engine or --line products")

	for i := len(lines) - 1; i >= 0; i-- {
		for version := lines.Latest()[i]; version > 0; version-- {
			args := []string{"migrate", "down", "--line=" + lines[i].Name, fmt.Sprintf("--to=%d", version-1)}
			before := programtest.Tables(t, database)
			o := programtest.Run(t, args...)
			o.RequireMisuse(t)
			require.Equal(t, before, programtest.Tables(t, database), "nothing happens without --yes")

			programtest.Run(t, append(args, "--yes")...).RequireDone(t)
			after := programtest.Tables(t, database)
			for table := range before {
				if !after[table] {
					require.Regexp(t, `\b`+table+` \(rows: [01]\)`, o.Err)
				}
			}
			for _, c := range lines.Columns() {
				if c.Line == i && c.Version == version && after[c.Table] {
					require.Contains(t, o.Err, "column "+c.Name+" of "+c.Table)
				}
			}
		}
	}
	programtest.Run(t, "migrate", "down", "--yes", "--to=0").RequireFailed(t, "nothing was undone: the schema is at engine 0 and products 0")
}
