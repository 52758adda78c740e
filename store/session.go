package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/migrations"
)

// Timeouts of every session, so that nothing stands still for ever. Frozen clients are ended
// sooner: see unblock.
const (
	statementTimeout = 30 * time.Second
	lockTimeout      = 20 * time.Second
	idleTimeout      = 10 * time.Second
	connectTimeout   = 5 * time.Second

	// callTimeout ends a call that gets no answer at all, as when the network swallows it.
	callTimeout = statementTimeout + 5*time.Second
)

// certain are the settings that what this package promises rests on. Each session sets them itself,
// whatever the URL, the role, the database or the server has instead.
var certain = map[string]string{
	"synchronous_commit": "on",
	// Rows that a policy hides would be taken for absent, and legal commands refused: an error
	// instead.
	"row_security": "off",
	// A check that waits for a lock must see what its holder committed: that a key is held by
	// now, or that a batch exists.
	"default_transaction_isolation": "read committed",
	// Texts and dates go as they are: a date in another style is another one, and another encoding
	// lacks letters.
	"client_encoding":             "UTF8",
	"datestyle":                   "ISO",
	"standard_conforming_strings": "on",
	// A statement's error is the server's word that nothing is committed. The end of a session says
	// nothing.
	"exit_on_error": "off",
}

// unbearableSQL raises where a setting that only an administrator can change takes away what
// promises rest on: without foreign keys, a command may begin to wait behind a key that was freed,
// and rows of a damaged page are taken for absent. It also sets what older servers do not know: a
// time for whole transactions would end a large one again and again.
const unbearableSQL = `
do $$
declare
    name text;
begin
    if current_setting('session_replication_role') = 'replica' then
        name := 'session_replication_role';
    elsif current_setting('zero_damaged_pages')::boolean then
        name := 'zero_damaged_pages';
    elsif current_setting('ignore_checksum_failure')::boolean then
        name := 'ignore_checksum_failure';
    end if;
    if name is not null then
        raise exception 'the setting % is "%" for this user or database: what is promised rests on the usual one', name, current_setting(name)
            using errcode = '55000', hint = format('As an administrator: alter role %I reset %s; alter database %I reset %2$s;', session_user, name, current_database());
    end if;
    if current_setting('transaction_timeout', true) is not null then
        perform set_config('transaction_timeout', '0', false);
    end if;
end $$`

// usual are settings that a URL may change.
func usual() map[string]string {
	return map[string]string{
		// Queries look rows up by their keys, and compiling them takes longer than running them. A
		// plan is kept as long as its connection. So a plan that was made when a table was small
		// must serve when the table is large.
		"jit":                                 "off",
		"enable_seqscan":                      "off",
		"enable_hashjoin":                     "off",
		"enable_mergejoin":                    "off",
		"timezone":                            "UTC",
		"statement_timeout":                   milliseconds(statementTimeout),
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTimeout),
		"idle_session_timeout":                "0", // the pool has idle connections
		"plan_cache_mode":                     "auto",
	}
}

func configureSession(cfg *pgxpool.Config, name string, schema migrations.Schema) {
	c := &cfg.ConnConfig.Config
	SetSession(c, name, schema, usual())
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.ValidateConnect == nil {
		c.ValidateConnect = writable
	}
}

// ReadOnlyError says that a server answers and takes no changes. Waiting may mend it: a standby may
// be promoted, and who set the setting may take it back.
type ReadOnlyError struct{ says string }

func (e *ReadOnlyError) Error() string { return e.says }

// writable refuses a standby, which is no database of ours, and sessions that may not write.
func writable(ctx context.Context, conn *pgconn.PgConn) error {
	const sql = `select pg_is_in_recovery(), current_setting('transaction_read_only'), quote_ident(current_user), quote_ident(current_database())`
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return err
	}
	row := results[0].Rows[0]
	switch {
	case string(row[0]) == "t":
		return &ReadOnlyError{"the server is a standby, which cannot be written to: name the primary in DATABASE_URL"}
	case string(row[1]) == "on":
		return &ReadOnlyError{fmt.Sprintf("transactions of the user %s in the database %s are read only: where nobody means it (a full disk makes some hosts do it), "+
			"`alter role %[1]s reset default_transaction_read_only`, `alter database %[2]s reset default_transaction_read_only`, or the same for the server", row[2], row[3])}
	}
	return nil
}

// SetSession makes each connection find the tables of the schema, whatever others of the same names
// there are. It sets what is certain, and what is usual unless the URL has it. It does so by a
// statement when it is connected: a pooler may drop what is asked for while connecting. The name is
// the session's application_name, unless the URL has one.
func SetSession(c *pgconn.Config, name string, schema migrations.Schema, usual map[string]string) {
	settings := maps.Clone(certain)
	for name, value := range usual {
		if _, set := c.RuntimeParams[name]; !set {
			settings[name] = value
		}
	}
	for name := range certain {
		delete(c.RuntimeParams, name)
	}
	delete(c.RuntimeParams, "search_path")
	if _, set := c.RuntimeParams["application_name"]; !set {
		c.RuntimeParams["application_name"] = name
	}
	set := []string{schema.SetPath()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		set = append(set, fmt.Sprintf("set %s to '%s'", name, settings[name]))
	}
	sql := strings.Join(append(set, unbearableSQL, "select pg_backend_pid()"), "; ")
	c.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error { return begin(ctx, conn, sql) }
	onError := c.OnPgError
	c.OnPgError = func(conn *pgconn.PgConn, pg *pgconn.PgError) bool { return onError(conn, pg) && !spoils(pg) }
}

// begin sets up a session, and notes the process that serves it.
func begin(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return err
	}
	rows := results[len(results)-1].Rows
	pid, err := strconv.ParseUint(string(rows[0][0]), 10, 32)
	if err != nil {
		return fmt.Errorf("read the server's process: %w", err)
	}
	conn.CustomData()[backend] = uint32(pid)
	return nil
}

// backend is the key of a connection's process in its custom data.
const backend = "store backend"

// backendOf is the process that serves a connection. What the connection itself was told while
// connecting is a pooler's own number behind one.
func backendOf(conn *pgx.Conn) uint32 {
	pid, _ := conn.PgConn().CustomData()[backend].(uint32)
	return pid
}
