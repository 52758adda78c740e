package main

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// administer runs statements as the superuser.
func administer(t *testing.T, database string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), database)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for _, statement := range statements {
		_, err = conn.Exec(context.Background(), statement)
		require.NoError(t, err, statement)
	}
}

// newLogin makes a user with nothing but a name, who is dropped at the test's end, and returns the name and the database's URL for it.
func newLogin(t *testing.T, database string) (name, address string) {
	t.Helper()
	name = "user_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	administer(t, database, "create role "+name+" login")
	t.Cleanup(func() { administer(t, database, "drop owned by "+name, "drop role "+name) })
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User = url.User(name)
	return name, u.String()
}

func withOption(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// startsNot: the worker, and a person's commands, end at once, with one sentence that says all of this.
func startsNot(t *testing.T, address string, says ...string) {
	t.Helper()
	t.Setenv("DATABASE_URL", address)
	s := &service{t: t, names: newTopicNames(t), group: "group"}
	began := time.Now()
	for name, o := range map[string]outcome{"worker": s.runWorker(), "show": runProgram(t, "show", "order", "o1"), "migrate up": runProgram(t, "migrate", "up")} {
		require.NotEqual(t, exitDone, o.code, name)
		for _, part := range says {
			require.Contains(t, o.err, part, name)
		}
		require.NotContains(t, o.err, "is it running", name)
	}
	require.Less(t, time.Since(began), answerTime)
}

// A URL as a dashboard gives it, for another library, or with a slip.
func TestProgram_namesTheOptionOfTheURLThatPostgresRefuses(t *testing.T) {
	database := testbed.Database(t)
	for _, option := range [][2]string{
		{"schema", "public"}, {"pgbouncer", "true"}, {"connection_limit", "5"}, {"ssl_mode", "require"}, {"statement_timeout", "soon"}, {"max_connections", "5"},
		{"log_statement", "5"}, {"role", "nobody_has_this_name"},
	} {
		startsNot(t, withOption(t, database, option[0], option[1]), "an option in DATABASE_URL", option[0], "take it out there, or correct it")
	}
	startsNot(t, withOption(t, database, "options", "-c schema=public"), "an option in DATABASE_URL", "schema", "take it out there, or correct it")
	for _, option := range [][2]string{{"sslmode", "requires"}, {"connect_timeout", "soon"}, {"pool_max_conns", "many"}, {"replication", "database"}} {
		t.Setenv("DATABASE_URL", withOption(t, database, option[0], option[1]))
		for _, command := range [][]string{{"worker"}, {"migrate", "up"}, {"show", "order", "o1"}} {
			o := runProgram(t, command...)
			require.Equal(t, exitUsage, o.code, command)
			require.Contains(t, o.err, "the option "+option[0]+" in DATABASE_URL", command)
			require.Contains(t, o.err, " must be ", command)
		}
	}
}

// An option that only the pool of a worker understands is no mistake of a person's command.
func TestProgram_takesOptionsOfPools(t *testing.T) {
	t.Setenv("DATABASE_URL", withOption(t, testbed.Database(t), "pool_max_conn_lifetime", "10m"))
	runProgram(t, "migrate", "up").requireDone(t)
}

// What only an administrator can set, and what takes away what promises rest on.
func TestProgram_namesTheSettingThatTakesPromisesAway(t *testing.T) {
	database := testbed.Database(t)
	name, login := newLogin(t, database)
	administer(t, database, "alter role "+name+" set session_replication_role = replica")
	startsNot(t, login, `the setting session_replication_role is "replica"`, "alter role "+name+" reset session_replication_role")
}

func TestProgram_saysThatTheServerRefusesAndNotThatItIsAway(t *testing.T) {
	database := testbed.Database(t)
	u, err := url.Parse(database)
	require.NoError(t, err)
	name := strings.TrimPrefix(u.Path, "/")
	admin := *u
	admin.Path = "/postgres"
	administer(t, admin.String(), `alter database "`+name+`" allow_connections false`)
	startsNot(t, database, "not currently accepting connections")
}
