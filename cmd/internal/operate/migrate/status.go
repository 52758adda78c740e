package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/migrations"
)

type statusCommand struct {
	config.Database
	JSON bool `help:"Print JSON."`
}

func (statusCommand) Help() string {
	return `On stderr it names other roles that have rights on the tables and functions.

Example:

    allocation migrate status --json`
}

// Status is one migration of this program, and whether the database has it.
type Status struct {
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
	state, err := migrations.Look(ctx, db)
	if err == nil {
		err = state.Own()
	}
	if err != nil {
		return err
	}
	provider, err := migrations.Provider(db)
	if err != nil {
		return err
	}
	found, err := provider.Status(ctx)
	if err != nil {
		return fmt.Errorf("read migrations of the database: %w", err)
	}
	if state.Version > migrations.Latest() {
		p.Tell("the schema is at version %d, newer than this program's %d", state.Version, migrations.Latest())
	}
	if err := tellOthers(ctx, p, db); err != nil {
		return err
	}
	return printStatus(p, statuses(found), c.JSON)
}

// tellOthers names who else may use the schema.
func tellOthers(ctx context.Context, p *cli.Program, db *sql.DB) error {
	others, err := migrations.Others(ctx, db)
	if err != nil {
		return err
	}
	makers, err := migrations.Makers(ctx, db)
	if err != nil {
		return err
	}
	for _, line := range migrations.Describe(others) {
		p.Tell("another role has rights, %s; `allocation migrate up` as the owner takes them away", line)
	}
	for _, role := range makers {
		if role != "PUBLIC" {
			role = pgx.Identifier{role}.Sanitize()
		}
		p.Tell("others may create in the schema public, where what they make can be taken for allocation's: as its owner, `revoke create on schema public from %s`", role)
	}
	return nil
}

func statuses(found []*goose.MigrationStatus) []Status {
	all := make([]Status, len(found))
	for i, m := range found {
		all[i] = Status{Version: m.Source.Version, Name: m.Source.Path, Applied: m.State == goose.StateApplied}
		if all[i].Applied {
			all[i].AppliedAt = &m.AppliedAt
		}
	}
	return all
}

func printStatus(p *cli.Program, all []Status, asJSON bool) error {
	if asJSON {
		return p.PrintJSON(all)
	}
	t := cli.NewTable(p.Out, "VERSION", "NAME", "APPLIED")
	for _, m := range all {
		applied := "missing: run `allocation migrate up`"
		if m.Applied {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		t.Row(fmt.Sprint(m.Version), m.Name, applied)
	}
	return t.Flush()
}
