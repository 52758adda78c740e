package main

import (
	"context"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"allocation/cmd/allocation/config"
	"allocation/migrations"
)

type migrateStatusCommand struct {
	config.Database
	JSON bool `help:"Print JSON."`
}

func (migrateStatusCommand) Help() string {
	return `Example:

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
	return p.printStatus(statuses(found), c.JSON)
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
