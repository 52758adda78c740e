package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/migrations"
)

type downCommand struct {
	config.Database
	To   string `required:"" placeholder:"VERSION" help:"The version to go back to; 0 removes everything."`
	Yes  bool   `help:"Really do it."`
	JSON bool   `help:"Print JSON."`
}

func (downCommand) Help() string {
	return `Stop all workers first. Without --yes it only says what would be lost.

Example:

    allocation migrate down --to 3 --yes`
}

// TablesOf are the tables that each migration made, and that are lost when it is undone.
var TablesOf = map[int64][]string{
	1:  {"positions", "kafka_cluster"},
	2:  {"products", "batches", "lines"},
	3:  {"outbox"},
	4:  {"dead_letters", "held_keys"},
	5:  nil,
	6:  {"held_commands"},
	7:  {"offset_decisions"},
	8:  nil,
	9:  {"absences"},
	14: {"database_identity", "attendances"},
	15: {"fetch_troubles"},
	19: {"product_keys", "batch_keys"},
}

// Run says what is lost, and undoes the migrations where the user agreed.
func (c *downCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Database.Check(problems)
	to := int64(problems.Integer("to", c.To, 0, int(migrations.Latest())))
	if err := problems.Err(); err != nil {
		return err
	}
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := migrations.Check(ctx, db); err != nil {
		return err
	}
	provider, err := migrations.Provider(db)
	if err != nil {
		return err
	}
	switch has, err := provider.GetDBVersion(ctx); {
	case err != nil || has <= to:
		return cmp.Or(err, fmt.Errorf("nothing was undone: the schema is at version %d", has))
	case has > migrations.Latest():
		return fmt.Errorf("nothing was undone: the schema is at version %d, newer than this program's %d, which does not know how to undo that: run the newer program", has, migrations.Latest())
	}
	lost, err := rowsLost(ctx, db, to)
	if err != nil {
		return err
	}
	if !c.Yes {
		return cli.Misuse("going down to version %d loses %s; say --yes to do it", to, lost)
	}
	undone, err := provider.DownTo(ctx, to)
	if err != nil {
		return fmt.Errorf("undo migrations: %w", migrations.ExplainLock(err))
	}
	if _, err := migrations.Close(ctx, db); err != nil { // functions of before were made again
		return err
	}
	if c.JSON {
		return p.PrintJSON(results(undone))
	}
	for _, m := range results(undone) {
		fmt.Fprintf(p.Out, "undid %d %s\n", m.Version, m.Name)
	}
	_, err = fmt.Fprintf(p.Out, "the schema is at version %d; lost: %s\n", to, lost)
	return err
}

// rowsLost describes what is in the tables that would go.
func rowsLost(ctx context.Context, db *sql.DB, to int64) (string, error) {
	var lost []string
	for version := to + 1; version <= migrations.Latest(); version++ {
		for _, table := range TablesOf[version] {
			rows, exists, err := rowsOf(ctx, db, table)
			if err != nil {
				return "", fmt.Errorf("count rows of %s: %w", table, err)
			}
			if exists {
				lost = append(lost, fmt.Sprintf("%s (rows: %s)", table, cli.Count(rows)))
			}
		}
	}
	if len(lost) == 0 {
		return "no data", nil
	}
	return strings.Join(lost, ", "), nil
}

func rowsOf(ctx context.Context, db *sql.DB, table string) (rows int64, exists bool, err error) {
	if err := db.QueryRowContext(ctx, `select to_regclass($1) is not null`, table).Scan(&exists); err != nil || !exists {
		return 0, false, err
	}
	err = db.QueryRowContext(ctx, `select count(*) from `+table).Scan(&rows)
	return rows, true, err
}
