// Package migrations holds the schema of the database, as goose SQL files embedded in the binary, and brings a database up to date.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
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

// Done is what Up did.
type Done struct {
	Applied []*goose.MigrationResult
	Revoked []Reach
}

// Up applies what is missing, and takes from others what they may do with the schema: each time, since default privileges may have changed.
func Up(ctx context.Context, db *sql.DB) (done Done, err error) {
	if err := prepare(ctx, db); err != nil {
		return done, err
	}
	done.Applied, err = apply(ctx, db)
	if err != nil && len(done.Applied) == 0 {
		return done, err
	}
	revoked, failed := Close(ctx, db)
	done.Revoked = revoked
	return done, errors.Join(err, failed)
}

func apply(ctx context.Context, db *sql.DB) ([]*goose.MigrationResult, error) {
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
