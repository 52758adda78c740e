package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"allocation/cmd/allocation/config"
	"allocation/migrations"
)

type migrateStatusCommand struct {
	config.Database
	JSON bool `help:"Print JSON."`
}

func (migrateStatusCommand) Help() string {
	return `On stderr it names other roles that have rights on the tables and functions.

Example:

    allocation migrate status --json`
}

// migrationStatus is one migration of this program, and whether the database has it.
type migrationStatus struct {
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	Applied   bool       `json:"applied"`
	AppliedAt *time.Time `json:"applied_at,omitempty"`
}

// Run prints every migration.
func (c *migrateStatusCommand) Run(ctx context.Context, p *program) error {
	db, err := p.openDatabase(ctx, c.Database)
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
		p.tell("the schema is at version %d, newer than this program's %d", state.Version, migrations.Latest())
	}
	if err := p.tellOthers(ctx, db); err != nil {
		return err
	}
	return p.printStatus(statuses(found), c.JSON)
}

// tellOthers names who else may use the schema.
func (p *program) tellOthers(ctx context.Context, db *sql.DB) error {
	others, err := migrations.Others(ctx, db)
	if err != nil {
		return err
	}
	makers, err := migrations.Makers(ctx, db)
	if err != nil {
		return err
	}
	for _, line := range migrations.Describe(others) {
		p.tell("another role has rights, %s; `allocation migrate up` as the owner takes them away", line)
	}
	for _, role := range makers {
		if role != "PUBLIC" {
			role = pgx.Identifier{role}.Sanitize()
		}
		p.tell("others may create in the schema public, where what they make can be taken for allocation's: as its owner, `revoke create on schema public from %s`", role)
	}
	return nil
}

func statuses(found []*goose.MigrationStatus) []migrationStatus {
	all := make([]migrationStatus, len(found))
	for i, m := range found {
		all[i] = migrationStatus{Version: m.Source.Version, Name: m.Source.Path, Applied: m.State == goose.StateApplied}
		if all[i].Applied {
			all[i].AppliedAt = &m.AppliedAt
		}
	}
	return all
}

func (p *program) printStatus(all []migrationStatus, asJSON bool) error {
	if asJSON {
		return p.printJSON(all)
	}
	t := newTable(p.out, "VERSION", "NAME", "APPLIED")
	for _, m := range all {
		applied := "missing: run `allocation migrate up`"
		if m.Applied {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		t.row(fmt.Sprint(m.Version), m.Name, applied)
	}
	return t.flush()
}
