// Package migrations holds the schema of the database, as goose SQL files embedded in the binary, and brings a database up to date.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// Roles are those that the migrations give rights to.
var Roles = []string{"allocation_worker", "allocation_operator"}

// Provider runs the migrations on a database. Several may start at once: a session lock of Postgres lets one go first.
func Provider(db *sql.DB) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("make migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// Up applies what is missing.
func Up(ctx context.Context, db *sql.DB) ([]*goose.MigrationResult, error) {
	if err := prepare(ctx, db); err != nil {
		return nil, err
	}
	p, err := Provider(db)
	if err != nil {
		return nil, err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return done, fmt.Errorf("migrate: %w", err)
	}
	return done, nil
}

// Latest is the version of the newest migration: what a worker of this binary needs.
func Latest() int64 {
	entries, err := files.ReadDir(".")
	if err != nil || len(entries) == 0 {
		panic("migrations: none embedded")
	}
	version, err := goose.NumericComponent(entries[len(entries)-1].Name())
	if err != nil {
		panic(err)
	}
	return version
}
