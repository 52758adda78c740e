package config

import (
	"context"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DevDatabaseURL is where `allocation dev` has Postgres.
const DevDatabaseURL = "postgres://postgres@127.0.0.1:15432/allocation?sslmode=disable"

// Database says how to reach Postgres. The URL is in DATABASE_URL, because it may hold a password.
type Database struct {
	URLFile string `name:"database-url-file" env:"DATABASE_URL_FILE" placeholder:"FILE" help:"The file with the URL of the database; or put it in DATABASE_URL. Without both: ${database}."`
}

func (d Database) secret() secret {
	return secret{variable: "DATABASE_URL", file: d.URLFile, fallback: DevDatabaseURL}
}

// URL is where the database is, as the file or the environment has it now.
func (d Database) URL() (string, error) { return d.secret().read() }

// Set tells whether the user said where the database is.
func (d Database) Set() bool { return d.URLFile != "" || os.Getenv("DATABASE_URL") != "" }

// Check finds the mistakes. It never shows the URL, which may be broken in a way that hides where the password is.
func (d Database) Check(p *Problems) {
	url := d.secret().check(p, "database-url-file")
	if url == "" {
		return
	}
	if _, err := pgxpool.ParseConfig(url); err != nil {
		p.Say("DATABASE_URL (not shown, it may hold a password) cannot be read; it must be a URL such as postgres://user:password@host:5432/allocation, " +
			"with special characters of the password as %%40 and so on, and only options that Postgres' clients know")
	}
}

// Refresh makes each new connection of a pool read its credentials again, where they come from a file.
func (d Database) Refresh(pool *pgxpool.Config) {
	if d.URLFile == "" {
		return
	}
	pool.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error {
		url, err := d.URL()
		if err != nil {
			return err
		}
		fresh, err := pgx.ParseConfig(url)
		if err != nil {
			return err
		}
		conn.User, conn.Password, conn.TLSConfig = fresh.User, fresh.Password, fresh.TLSConfig
		return nil
	}
}
