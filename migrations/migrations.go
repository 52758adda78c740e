// Package migrations holds the schema of the database, as goose SQL files embedded in the binary,
// and brings a database up to date.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// Roles are those that the migrations give rights to.
var Roles = []string{"allocation_worker", "allocation_operator"}

// Provider runs the migrations on a database. Several may start at once: a session lock of Postgres
// lets one go first.
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
	Version int64 // of the schema now
	Applied []*goose.MigrationResult
	Revoked []Reach
	Granted []string // statements that gave the roles what they lacked
}

// Up applies what is missing, and takes from others what they may do with the schema: each time,
// since default privileges may have changed.
func Up(ctx context.Context, db *sql.DB) (done Done, err error) {
	if err := prepare(ctx, db); err != nil {
		return done, err
	}
	done.Version, done.Applied, err = apply(ctx, db)
	if err != nil && len(done.Applied) == 0 {
		return done, err
	}
	revoked, failed := Close(ctx, db)
	done.Revoked = revoked
	if err == nil && failed == nil {
		done.Granted, failed = grantAgain(ctx, db)
	}
	return done, errors.Join(err, failed)
}

func apply(ctx context.Context, db *sql.DB) (version int64, done []*goose.MigrationResult, err error) {
	p, err := Provider(db)
	if err != nil {
		return 0, nil, err
	}
	done, err = p.Up(ctx)
	if err != nil {
		return 0, done, fmt.Errorf("migrate: %w", ExplainLock(err))
	}
	version, err = p.GetDBVersion(ctx)
	return version, done, err
}

// LockTimeout is how long a migration may wait for a lock: all that comes later waits behind it,
// such as workers.
const LockTimeout = 5 * time.Second

// ExplainLock says what to do where somebody else's lock kept a migration from being done.
func ExplainLock(err error) error {
	const lockNotAvailable = "55P03"
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == lockNotAvailable {
		return fmt.Errorf("somebody's open transaction has locked what is to change, and workers wait behind who waits for it, so this gave up; that migration changed nothing: "+
			"end that transaction, and run this again (docs/runbook.md, \"An upgrade gives up because of a lock\"): %w", err)
	}
	return err
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
