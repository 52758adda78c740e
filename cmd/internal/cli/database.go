package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"allocation/cmd/internal/config"
	"allocation/migrations"
	"allocation/store"
)

// OpenStore connects for a person's command. Its error says at once where nobody answers.
func (p *Program) OpenStore(ctx context.Context, database config.Database) (*store.Store, error) {
	return p.OpenReader(ctx, database, func(cfg *pgxpool.Config) { cfg.MaxConns = 2 })
}

// OpenReader is OpenStore with a pool of another form.
func (p *Program) OpenReader(ctx context.Context, database config.Database, adjust func(*pgxpool.Config)) (*store.Store, error) {
	settings, err := p.checkedSettings(database)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{Service: p.Service, URL: settings.ConnString(), Schema: database.In(), Adjust: adjust})
	if err != nil {
		return nil, err
	}
	roles := migrations.Roles{}
	err = answered(ctx, database, settings, db.Ping, db.CheckPooler, db.CheckSchema, func(ctx context.Context) (err error) {
		roles, err = db.Roles(ctx)
		return err
	})
	if err != nil {
		db.Close()
		return nil, err
	}
	p.user, p.role = settings.User, migrations.Quote(roles.Operator)
	return db, nil
}

// OpenDatabase connects for the schema's sake. Its error says at once where nobody answers.
func (p *Program) OpenDatabase(ctx context.Context, database config.Database) (*sql.DB, error) {
	settings, err := p.checkedSettings(database)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*settings)
	if err := answered(ctx, database, settings, db.PingContext, func(ctx context.Context) error { return checkSessions(ctx, db) }); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// answered returns when a database has answered a ping, and what is to be checked then. All have as
// long as a person waits.
func answered(ctx context.Context, database config.Database, settings *pgx.ConnConfig, ping func(context.Context) error, checks ...func(context.Context) error) error {
	ctx, cancel := ForAnswer(ctx)
	defer cancel()
	if err := ping(ctx); err != nil {
		return databaseAway(database, settings, CauseOf(ctx, err))
	}
	for _, check := range checks {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkSessions refuses a pooler that shares sessions: a migration locks out others by a lock that
// its session holds.
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

// checkedSettings are those of a connection, or an error about how the program was called.
func (p *Program) checkedSettings(database config.Database) (*pgx.ConnConfig, error) {
	problems := p.Problems()
	database.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	url, err := database.URL()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.ParseConfig(url) // which takes the options of pools out
	if err != nil {
		return nil, err
	}
	store.SetSession(&pool.ConnConfig.Config, p.Service.Name, database.In(), map[string]string{"lock_timeout": fmt.Sprint(migrations.LockTimeout.Milliseconds())})
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
	return fmt.Errorf("Postgres does not answer at %s:%d; is it running, and does %s name it? %w", settings.Host, settings.Port, database.Variable(), err) //nolint:staticcheck // a name
}
