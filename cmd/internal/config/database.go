package config

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"

	"allocation/migrations"
)

// Where the command dev has Postgres and its data and, in that, the password.
const (
	DevPort         = 15432
	DevFolder       = ".allocation"
	DevPasswordFile = "pgpass"
)

// DevDatabaseURL is where the command dev has Postgres, for commands that run in the same folder.
var DevDatabaseURL = DevURL(DevPort, DevFolder+"/"+DevPasswordFile)

// DevURL is the URL of a database of the command dev, with the file of its password.
//
// The empty password keeps PGPASSWORD from being taken for this database's. While dev does not run,
// any program of the machine may listen on its port: the password is proven to it, and never shown.
func DevURL(port int, passwordFile string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/allocation?sslmode=disable&require_auth=scram-sha-256&password=&passfile=%s", port, InURL(passwordFile))
}

// InURL is a path as the value of a URL's option, which Postgres' own clients read, too: to them a
// plus sign is no space.
func InURL(path string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(path))
}

// Database says how to reach Postgres. The URL is in DATABASE_URL, because it may hold a password.
type Database struct {
	URLFile string `name:"database-url-file" env:"DATABASE_URL_FILE" placeholder:"FILE" help:"The file with the URL of the database; or put it in ${prefix}DATABASE_URL. Without both: the database of the command dev in the same folder."`
	Schema  string `name:"database-schema" env:"DATABASE_SCHEMA" default:"${program}" placeholder:"NAME" help:"The schema of the database that has the tables. The names of the roles begin with it."`

	prefix string // of variables
}

// BeforeReset takes the prefix of variables from the service's vocabulary.
func (d *Database) BeforeReset(v Vocabulary) error {
	d.prefix = v.Prefix
	return nil
}

// Variable is the environment variable that may hold the URL.
func (d Database) Variable() string { return d.prefix + "DATABASE_URL" }

func (d Database) secret() secret {
	return secret{variable: d.Variable(), file: d.URLFile, fallback: DevDatabaseURL}
}

// URL is where the database is, as the file or the environment has it now.
func (d Database) URL() (string, error) { return d.secret().read() }

// In is the schema that has the tables.
func (d Database) In() migrations.Schema {
	return cmp.Or(migrations.Schema(d.Schema), migrations.DefaultSchema)
}

// Set reports whether the user said where the database is.
func (d Database) Set() bool { return d.URLFile != "" || os.Getenv(d.Variable()) != "" }

// Check finds the mistakes. It never shows the URL, which may be broken in a way that hides where
// the password is.
func (d Database) Check(p *Problems) {
	if !migrations.Schema(d.Schema).Valid() {
		p.Add("database-schema", d.Schema, "a name of 1 to 40 characters a to z, digits and _ that begins with no digit, and neither public, information_schema nor one that begins with pg_")
	}
	address := d.secret().check(p, "database-url-file")
	if address == "" {
		return
	}
	parsed, err := d.parse(address)
	if err == nil {
		err = d.party().checkExpiry(parsed.TLSConfig)
	}
	if err != nil {
		p.Say("%w", err)
	}
}
