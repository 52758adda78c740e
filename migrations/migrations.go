// Package migrations holds the schema of the database, as goose SQL files embedded in the binary,
// and brings a database up to date. There are lines of them: the engine's, and
// each service's, which stands on it.
package migrations

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Options say what Up makes.
type Options struct {
	Schema       Schema // empty: the default
	Lines        Lines
	Roles        Roles // existing ones; an empty name: the one that Up was given before, or else the default
	WithoutRoles bool  // goes on where roles are missing and cannot be made
}

// Done is what Up did.
type Done struct {
	Version Version // of the schema now
	Applied []Step
	Found   Reaches  // rights that nobody declared; only those of Members are still there
	Granted []string // statements that gave the roles what they had lost
	Missing []string // roles that there are not
}

// Up applies what is missing. Then it gives the roles the rights that are declared, and takes away
// all others: each time, since default privileges may have changed.
func Up(ctx context.Context, db *sql.DB, o Options) (done Done, err error) {
	o.Schema = cmp.Or(o.Schema, DefaultSchema)
	roles, missing, err := prepare(ctx, db, o)
	if done.Missing = missing; err != nil {
		return done, err
	}
	done.Version, done.Applied, err = apply(ctx, db, o.Schema, o.Lines)
	if err != nil && len(done.Applied) == 0 {
		return done, err
	}
	found, granted, failed := setRights(ctx, db, o.Schema, o.Lines, roles)
	done.Found = found
	if len(done.Applied) == 0 { // else the roles are given more for what is new
		done.Granted = granted
	}
	return done, errors.Join(err, failed)
}

func apply(ctx context.Context, db *sql.DB, s Schema, lines Lines) (version Version, done []Step, err error) {
	done = []Step{}
	for _, line := range lines {
		p, err := provider(db, s, line)
		if err != nil {
			return version, done, err
		}
		results, err := p.Up(ctx)
		done = append(done, steps(line, results)...)
		if err != nil {
			return version, done, fmt.Errorf("migrate: %w", explainLock(err))
		}
	}
	state, err := Look(ctx, db, s, lines)
	if err != nil {
		return version, done, err
	}
	return state.Version, done, nil
}

// LockTimeout is how long a migration may wait for a lock: all that comes later waits behind it,
// such as workers.
const LockTimeout = 5 * time.Second

// explainLock says what to do where somebody else's lock kept a migration from being done.
func explainLock(err error) error {
	const lockNotAvailable = "55P03"
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == lockNotAvailable {
		return fmt.Errorf("somebody's open transaction has locked what is to change, and workers wait behind who waits for it, so this gave up; that migration changed nothing: "+
			"end that transaction, and run this again (docs/runbook.md, \"An upgrade gives up because of a lock\"): %w", err)
	}
	return err
}
