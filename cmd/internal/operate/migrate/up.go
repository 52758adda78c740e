package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/migrations"
)

type upCommand struct {
	config.Database
	JSON bool `help:"Print JSON."`
}

func (upCommand) Help() string {
	return `Several may start at once: one migrates, the others wait for it. Its user must own the database or be allowed to create in it; workers
and operators should log in as other users, with the roles allocation_worker and allocation_operator. Whatever other roles have on its tables and
functions is revoked.

Example:

    DATABASE_URL=postgres://owner:secret@db:5432/allocation allocation migrate up`
}

// Run applies what is missing and prints it.
func (c *upCommand) Run(ctx context.Context, p *cli.Program) error {
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := tellWhoMigrates(ctx, p, db); err != nil {
		return err
	}
	done, err := migrations.Up(ctx, db)
	for _, line := range migrations.Describe(done.Revoked) {
		p.Tell("revoked what another role had, %s", line)
	}
	for _, statement := range done.Granted {
		p.Tell("gave a role what it lacked, %s", statement)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return p.PrintJSON(results(done.Applied))
	}
	return printApplied(p, done)
}

// tellWhoMigrates says for whom this program is about to wait.
func tellWhoMigrates(ctx context.Context, p *cli.Program, db *sql.DB) error {
	who, err := migrations.Busy(ctx, db)
	if who != "" {
		p.Tell("waiting for up to 5 minutes: %s; if that is no other migration, end it", who)
	}
	return err
}

func printApplied(p *cli.Program, done migrations.Done) error {
	for _, m := range results(done.Applied) {
		fmt.Fprintf(p.Out, "applied %d %s in %s\n", m.Version, m.Name, time.Duration(m.Seconds*float64(time.Second)).Round(time.Millisecond))
	}
	state := "up to date"
	if done.Version > migrations.Latest() {
		state = fmt.Sprintf("newer than this program's %d", migrations.Latest())
	}
	_, err := fmt.Fprintf(p.Out, "the schema is at version %d, %s\n", done.Version, state)
	return err
}

// result is a migration that was applied or undone.
type result struct {
	Version int64   `json:"version"`
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

func results(done []*goose.MigrationResult) []result {
	results := make([]result, len(done))
	for i, r := range done {
		results[i] = result{r.Source.Version, r.Source.Path, r.Duration.Seconds()}
	}
	return results
}
