package config

import "os"

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
	parsed, err := d.parse(url)
	if err == nil {
		err = d.party().checkExpiry(parsed.TLSConfig)
	}
	if err != nil {
		p.Say("%w", err)
	}
}
