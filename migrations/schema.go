package migrations

import (
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Schema is the name of the schema of Postgres that has all that the migrations make. What belongs
// to a whole database or server has a name that begins with it.
type Schema string

// DefaultSchema is where the tables are unless somebody says otherwise.
const DefaultSchema Schema = "allocation"

// plain are names that nobody has to quote, with room for what is added to them.
var plain = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// Valid reports whether a schema can have this name. public is nobody's own.
func (s Schema) Valid() bool {
	return plain.MatchString(string(s)) && !strings.HasPrefix(string(s), "pg_") && s != "public" && s != "information_schema"
}

// Channel is a channel of NOTIFY.
func (s Schema) Channel(name string) string { return string(s) + "_" + name }

// LockID is the advisory lock of who migrates.
func (s Schema) LockID() int64 { return int64(crc32.ChecksumIEEE([]byte("migrations of " + s))) }

// SetPath is the statement that makes a session find the schema's tables, and no others of their
// names. Functions that act for their owner keep this path.
func (s Schema) SetPath() string {
	return fmt.Sprintf("set search_path to %s, pg_temp", pgx.Identifier{string(s)}.Sanitize())
}

// maintenanceSQL takes the lock of the outbox' maintenance: days are not made or dropped meanwhile.
const maintenanceSQL = `select pg_advisory_xact_lock(hashtext($1 || ' outbox maintenance'))`
