package program_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// startsNot: the worker, and a person's commands, end at once, with one sentence that says all of
// this.
func startsNot(t *testing.T, address string, says ...string) {
	t.Helper()
	programtest.UseDatabase(t, address)
	s := programtest.NewService(t)
	for name, run := range map[string]func() programtest.Outcome{
		"worker":         func() programtest.Outcome { return s.RunWorker() },
		"show":           func() programtest.Outcome { return programtest.Run(t, "show", "order", "o1") },
		"migrate up":     func() programtest.Outcome { return programtest.Run(t, "migrate", "up") },
		"migrate status": func() programtest.Outcome { return programtest.Run(t, "migrate", "status") },
	} {
		began := time.Now()
		o := run()
		require.Less(t, time.Since(began), cli.AnswerTime, "%s waited for what will not come", name)
		require.NotEqual(t, cli.ExitDone, o.Code, name)
		for _, part := range says {
			require.Contains(t, o.Err, part, name)
		}
		require.NotContains(t, o.Err, "is it running", name)
	}
}

// A URL as a dashboard gives it, for another library, or with a slip.
func TestProgram_namesTheOptionOfTheURLThatPostgresRefuses(t *testing.T) {
	t.Parallel()
	database := testbed.Database(t)
	for _, option := range [][2]string{
		{"schema", "public"}, {"pgbouncer", "true"}, {"connection_limit", "5"}, {"ssl_mode", "require"}, {"statement_timeout", "soon"}, {"max_connections", "5"},
		{"log_statement", "5"}, {"role", "nobody_has_this_name"},
	} {
		startsNot(t, testbed.WithOptions(t, database, option[0], option[1]), "an option in DATABASE_URL", option[0], "take it out there, or correct it")
	}
	startsNot(t, testbed.WithOptions(t, database, "options", "-c schema=public"), "an option in DATABASE_URL", "schema", "take it out there, or correct it")
	for _, option := range [][2]string{{"sslmode", "requires"}, {"connect_timeout", "soon"}, {"pool_max_conns", "many"}, {"replication", "database"}} {
		programtest.UseDatabase(t, testbed.WithOptions(t, database, option[0], option[1]))
		for _, command := range [][]string{{"worker"}, {"migrate", "up"}, {"show", "order", "o1"}} {
			programtest.Run(t, command...).RequireMisuse(t, "the option "+option[0]+" in DATABASE_URL", " must be ")
		}
	}
}

// An option that only the pool of a worker understands is no mistake of a person's command.
func TestProgram_takesOptionsOfPools(t *testing.T) {
	t.Parallel()
	programtest.UseDatabase(t, testbed.WithOptions(t, testbed.Database(t), "pool_max_conn_lifetime", "10m"))
	programtest.Run(t, "migrate", "up").RequireDone(t)
}

// What only an administrator can set, and what takes away what promises rest on.
func TestProgram_namesTheSettingThatTakesPromisesAway(t *testing.T) {
	t.Parallel()
	database := testbed.Database(t)
	name, login := programtest.NewLogin(t, database)
	programtest.Administer(t, database, "alter role "+name+" set session_replication_role = replica")
	startsNot(t, login, `the setting session_replication_role is "replica"`, "alter role "+name+" reset session_replication_role")
}

// Some hosts make a database read only when its disk is full, and some administrators while they
// work on it. Then everybody waits, and knows for what.
func TestProgram_saysThatTheDatabaseIsReadOnlyAndGoesOn(t *testing.T) {
	t.Parallel()
	s, database, name := programtest.AsWorkersLogin(t)
	programtest.Administer(t, database, "alter role "+name+" set default_transaction_read_only = on")
	says := "`alter role " + name + " reset default_transaction_read_only`"
	o := programtest.Run(t, "show", "order", "o1")
	o.RequireFailed(t, "and takes no changes: ")
	require.Contains(t, o.Err, says)
	require.NotContains(t, o.Err, "is it running")

	s.Launch()
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/readyz"), says) })
	programtest.Administer(t, database, "alter role "+name+" reset default_transaction_read_only")
	s.AwaitReadyz(`200 {"ready":true`)
}

// What a copied line or a template leaves before the URL would make it a list of options, which
// leads to a server that nobody named.
func TestProgram_refusesAURLWithSomethingBeforeIt(t *testing.T) {
	t.Parallel()
	database := testbed.Database(t)
	for _, before := range []string{" ", "\"", "'", "\n", "jdbc:", "DATABASE_URL="} {
		programtest.UseDatabase(t, before+database)
		for _, command := range [][]string{{"worker"}, {"migrate", "up"}, {"show", "order", "o1"}} {
			programtest.Run(t, command...).RequireMisuse(t, "must begin with postgres:// or postgresql://")
		}
	}
	programtest.UseDatabase(t, database+"\r\n") // a file's last line break
	programtest.Run(t, "migrate", "up").RequireDone(t)
}

// An administrator closes a database for a moment, perhaps to restore it: a worker waits, and a
// person's command says so.
func TestProgram_waitsForADatabaseThatTakesNoConnections(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	require.NoError(t, s.Stop())
	database, says := s.DatabaseURL(), "is not currently accepting connections"
	u, err := url.Parse(database)
	require.NoError(t, err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	programtest.Administer(t, u.String(), `alter database "`+name+`" allow_connections false`)
	for _, command := range [][]string{{"show", "order", "o1"}, {"migrate", "up"}} {
		o := programtest.Run(t, command...)
		o.RequireFailed(t, says)
		require.NotContains(t, o.Err, "is it running")
	}
	s.Launch()
	s.AwaitReadyz("503 ", says)
	programtest.Administer(t, u.String(), `alter database "`+name+`" allow_connections true`)
	s.AwaitReadyz("200 ")
}

// Another service's versions, or another service's tables, are told apart from a schema that is up
// to date or new.
func TestProgram_refusesAnotherServicesSchema(t *testing.T) {
	t.Parallel()
	const versions = `create schema allocation; create table allocation.migrations_engine (id integer primary key generated by default as identity,
		version_id bigint not null, is_applied boolean not null, tstamp timestamp not null default now());
		insert into migrations_engine (version_id, is_applied) values (0, true), (1, true), (20990101000000, true)`
	t.Run("versions", func(t *testing.T) {
		t.Parallel()
		database := testbed.Database(t)
		programtest.Administer(t, database, versions)
		startsNot(t, database, "is at engine 20990101000000", "another program's", "a schema of its own", "a database of its own", "positions")
		programtest.Run(t, "migrate", "down", "--to=0", "--yes").RequireFailed(t, "another program's")
		require.Empty(t, programtest.Tables(t, database))
	})
	t.Run("odd versions", func(t *testing.T) {
		t.Parallel()
		database := testbed.Database(t)
		programtest.Administer(t, database, "create schema allocation; create table allocation.migrations_products (number integer)")
		startsNot(t, database, "the table migrations_products in the schema allocation of the database ", "is another program's", "--database-schema")
	})
	t.Run("tables", func(t *testing.T) {
		t.Parallel()
		database := testbed.Database(t)
		programtest.Administer(t, database, "create schema allocation; create table allocation.products (id bigint)")
		startsNot(t, database, "products is there", "another program's")
		require.Equal(t, map[string]bool{"products": true}, programtest.Tables(t, database), "nothing was begun")
	})
	t.Run("before the first release", func(t *testing.T) {
		t.Parallel()
		database := testbed.Database(t)
		programtest.Administer(t, database, "create table public.goose_db_version (); create table public.positions (); create table public.kafka_cluster ()")
		startsNot(t, database, "has the tables of a version before the first release, in its schema public", "use a new database", "--database-schema")
		require.Empty(t, programtest.Tables(t, database))
		programtest.Run(t, "migrate", "up", "--database-schema=another").RequireDone(t)
	})
	t.Run("views", func(t *testing.T) {
		t.Parallel()
		database := programtest.NewMigratedDatabase(t)
		programtest.Administer(t, database, "alter table lines rename to lines_of_others", "create view lines as select * from lines_of_others where qty > 5")
		startsNot(t, database, "lines is no table of this service")
	})
}

func TestProgram_refusesADatabaseThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	database := testbed.Database(t)
	u, err := url.Parse(database)
	require.NoError(t, err)
	name := "latin_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	programtest.Administer(t, database, "create database "+name+" encoding 'LATIN1' locale 'C' template template0")
	t.Cleanup(func() { programtest.Administer(t, database, "drop database "+name+" with (force)") })
	u.Path = "/" + name
	startsNot(t, u.String(), "LATIN1", "must be UTF8")
}

func TestProgram_saysWhichRoleAPersonNeeds(t *testing.T) {
	t.Parallel()
	_, database, _ := programtest.AsWorkersLogin(t)
	name, login := programtest.NewLogin(t, database)
	programtest.UseDatabase(t, login)
	programtest.Run(t, "show", "order", "o1").RequireFailed(t, "permission denied for schema allocation: the user "+name+" may not read it", "`grant allocation_operator to "+name+"`")
	programtest.Administer(t, database, "grant usage on schema allocation to "+name, "grant select on migrations_engine, migrations_products to "+name)
	programtest.Run(t, "show", "order", "o1").RequireFailed(t, "permission denied for table", "`grant allocation_operator to \""+name+"\"`")
}
