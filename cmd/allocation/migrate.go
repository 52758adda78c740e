package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"allocation/cmd/allocation/config"
	"allocation/migrations"
	"allocation/store"
)

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Apply the migrations that are missing."`
	Status migrateStatusCommand `cmd:"" help:"Print which migrations are applied."`
	Down   migrateDownCommand   `cmd:"" help:"Undo migrations, with all that is in their tables."`
}

type migrateUpCommand struct {
	config.Database
	JSON bool `help:"Print JSON."`
}

func (migrateUpCommand) Help() string {
	return `Several may start at once: one migrates, the others wait for it. Its user must own the database or be allowed to create in it; workers
and operators should log in as other users, with the roles allocation_worker and allocation_operator. Whatever other roles have on its tables and
functions is revoked.

Example:

    DATABASE_URL=postgres://owner:secret@db:5432/allocation allocation migrate up`
}

// Run applies what is missing and prints it.
func (c *migrateUpCommand) Run(ctx context.Context, p *program) error {
	db, err := p.openDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := p.tellWhoMigrates(ctx, db); err != nil {
		return err
	}
	done, err := migrations.Up(ctx, db)
	for _, line := range migrations.Describe(done.Revoked) {
		p.tell("revoked what another role had, %s", line)
	}
	for _, statement := range done.Granted {
		p.tell("gave a role what it lacked, %s", statement)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(migrationResults(done.Applied))
	}
	return p.printApplied(done)
}

// tellWhoMigrates says for whom this program is about to wait.
func (p *program) tellWhoMigrates(ctx context.Context, db *sql.DB) error {
	who, err := migrations.Busy(ctx, db)
	if who != "" {
		p.tell("waiting for up to 5 minutes: %s; if that is no other migration, end it", who)
	}
	return err
}

func (p *program) printApplied(done migrations.Done) error {
	for _, m := range migrationResults(done.Applied) {
		fmt.Fprintf(p.out, "applied %d %s in %s\n", m.Version, m.Name, time.Duration(m.Seconds*float64(time.Second)).Round(time.Millisecond))
	}
	state := "up to date"
	if done.Version > migrations.Latest() {
		state = fmt.Sprintf("newer than this program's %d", migrations.Latest())
	}
	_, err := fmt.Fprintf(p.out, "the schema is at version %d, %s\n", done.Version, state)
	return err
}

// migrationResult is a migration that was applied or undone.
type migrationResult struct {
	Version int64   `json:"version"`
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

func migrationResults(done []*goose.MigrationResult) []migrationResult {
	results := make([]migrationResult, len(done))
	for i, r := range done {
		results[i] = migrationResult{r.Source.Version, r.Source.Path, r.Duration.Seconds()}
	}
	return results
}

// openDatabase connects for the schema's sake. Its error says at once where nobody answers.
func (p *program) openDatabase(ctx context.Context, database config.Database) (*sql.DB, error) {
	problems := p.problems()
	database.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	settings, err := connectionSettings(database)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*settings)
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("no answer within %s", answerTime))
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, databaseAway(database, settings, causeOf(ctx, err))
	}
	if err := checkSessions(ctx, db); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// checkSessions: who migrates locks others out, and a session of its own holds that lock.
func checkSessions(ctx context.Context, db *sql.DB) error {
	one, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer one.Close()
	other, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer other.Close()
	return one.Raw(func(driver1 any) error {
		return other.Raw(func(driver2 any) error {
			return store.CheckSessions(ctx, driver1.(*stdlib.Conn).Conn(), driver2.(*stdlib.Conn).Conn())
		})
	})
}

func connectionSettings(database config.Database) (*pgx.ConnConfig, error) {
	url, err := database.URL()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.ParseConfig(url) // which takes the options of pools out
	if err != nil {
		return nil, err
	}
	store.SetSession(&pool.ConnConfig.Config, map[string]string{"lock_timeout": fmt.Sprint(migrations.LockTimeout.Milliseconds())})
	return pool.ConnConfig, nil
}

func databaseAway(database config.Database, settings *pgx.ConnConfig, err error) error {
	explained := database.Explain(err)
	if access := (*config.AccessError)(nil); errors.As(explained, &access) {
		return explained
	}
	if readOnly := (*store.ReadOnlyError)(nil); errors.As(err, &readOnly) {
		return fmt.Errorf("Postgres answers at %s:%d, and takes no changes: %w", settings.Host, settings.Port, readOnly) //nolint:staticcheck // a name
	}
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return fmt.Errorf("Postgres answers at %s:%d, and lets nobody in: %w", settings.Host, settings.Port, err) //nolint:staticcheck // a name
	}
	return fmt.Errorf("Postgres does not answer at %s:%d; is it running, or is DATABASE_URL another? %w", settings.Host, settings.Port, err) //nolint:staticcheck // a name
}
