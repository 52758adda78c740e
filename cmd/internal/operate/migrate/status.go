package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/migrations"
)

type statusCommand struct {
	config.Database
	JSON bool `help:"Print JSON."`
}

func (statusCommand) Help() string {
	return `On stderr it names other roles that have rights on the schema, its tables and its functions.

Example:

    ${program} migrate status --json`
}

// Status is one migration of this program, and whether the database has it.
type Status struct {
	Line      string     `json:"line"`
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	Applied   bool       `json:"applied"`
	AppliedAt *time.Time `json:"applied_at,omitempty"`
}

// Run prints every migration.
func (c *statusCommand) Run(ctx context.Context, p *cli.Program) error {
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	state, err := migrations.Look(ctx, db, c.In())
	if err == nil {
		err = state.Own()
	}
	if err != nil {
		return err
	}
	found, err := migrations.Status(ctx, db, state)
	if err != nil {
		return err
	}
	if migrations.Latest().Older(state.Version) {
		p.Tell("the schema is at %s, newer than this program's %s", state.Version, migrations.Latest())
	}
	if err := tellOthers(ctx, p, db, c.In()); err != nil {
		return err
	}
	return printStatus(p, statuses(found), c.JSON)
}

// tellOthers names who else may use the schema.
func tellOthers(ctx context.Context, p *cli.Program, db *sql.DB, schema migrations.Schema) error {
	others, err := migrations.Others(ctx, db, schema)
	for _, line := range migrations.Describe(others) {
		p.Tell("another role has rights, %s; `%s migrate up` as the owner takes them away", line, p.Name)
	}
	return err
}

func statuses(found []migrations.Migration) []Status {
	all := make([]Status, len(found))
	for i, m := range found {
		all[i] = Status{m.Line, m.Version, m.Name, m.Applied != nil, m.Applied}
	}
	return all
}

func printStatus(p *cli.Program, all []Status, asJSON bool) error {
	if asJSON {
		return p.PrintJSON(all)
	}
	t := cli.NewTable(p.Out, "LINE", "VERSION", "NAME", "APPLIED")
	for _, m := range all {
		applied := fmt.Sprintf("missing: run `%s migrate up`", p.Name)
		if m.Applied {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		t.Row(m.Line, fmt.Sprint(m.Version), m.Name, applied)
	}
	return t.Flush()
}
