package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
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

// newLogin makes a user with nothing but a name, who is dropped at the test's end, and returns the
// name and the database's URL for it.
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

// startsNot: the worker, and a person's commands, end at once, with one sentence that says all of
// this.
func startsNot(t *testing.T, address string, says ...string) {
	t.Helper()
	t.Setenv("DATABASE_URL", address)
	s := &Service{t: t, names: newTopicNames(t), group: "group"}
	began := time.Now()
	for name, o := range map[string]outcome{"worker": s.runWorker(), "show": runProgram(t, "show", "order", "o1"), "migrate up": runProgram(t, "migrate", "up"), "migrate status": runProgram(t, "migrate", "status")} {
		require.NotEqual(t, cli.ExitDone, o.code, name)
		for _, part := range says {
			require.Contains(t, o.err, part, name)
		}
		require.NotContains(t, o.err, "is it running", name)
	}
	require.Less(t, time.Since(began), cli.AnswerTime)
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
			require.Equal(t, cli.ExitUsage, o.code, command)
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

// Some hosts make a database read only when its disk is full, and some administrators while they
// work on it. Then everybody waits, and knows for what.
func TestProgram_saysThatTheDatabaseIsReadOnlyAndGoesOn(t *testing.T) {
	s, database, name := asWorkersLogin(t)
	administer(t, database, "alter role "+name+" set default_transaction_read_only = on")
	says := "`alter role " + name + " reset default_transaction_read_only`"
	o := runProgram(t, "show", "order", "o1")
	requireOutcome(t, o, cli.ExitFailed, "and takes no changes: ")
	require.Contains(t, o.err, says)
	require.NotContains(t, o.err, "is it running")

	s.launch()
	require.Eventually(t, func() bool { return strings.Contains(s.get("/readyz"), says) }, 30*time.Second, 50*time.Millisecond)
	administer(t, database, "alter role "+name+" reset default_transaction_read_only")
	s.awaitReadyz(`200 {"ready":true`)
}

// What a copied line or a template leaves before the URL would make it a list of options, which
// leads to a server that nobody named.
func TestProgram_refusesAURLWithSomethingBeforeIt(t *testing.T) {
	database := testbed.Database(t)
	for _, before := range []string{" ", "\"", "'", "\n", "jdbc:", "DATABASE_URL="} {
		t.Setenv("DATABASE_URL", before+database)
		for _, command := range [][]string{{"worker"}, {"migrate", "up"}, {"show", "order", "o1"}} {
			requireOutcome(t, runProgram(t, command...), cli.ExitUsage, "must begin with postgres:// or postgresql://")
		}
	}
	t.Setenv("DATABASE_URL", database+"\r\n") // a file's last line break
	runProgram(t, "migrate", "up").requireDone(t)
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

// Another service's versions, or another service's tables, are told apart from a schema that is up
// to date or new.
func TestProgram_refusesAnotherServicesSchema(t *testing.T) {
	const versions = `create schema allocation; create table allocation.migrations_engine (id integer primary key generated by default as identity,
		version_id bigint not null, is_applied boolean not null, tstamp timestamp not null default now());
		insert into migrations_engine (version_id, is_applied) values (0, true), (1, true), (20990101000000, true)`
	t.Run("versions", func(t *testing.T) {
		database := testbed.Database(t)
		administer(t, database, versions)
		startsNot(t, database, "is at engine 20990101000000", "another program's", "a schema of its own", "a database of its own", "positions")
		o := runProgram(t, "migrate", "down", "--to=0", "--yes")
		require.Equal(t, cli.ExitFailed, o.code)
		require.Contains(t, o.err, "another program's")
		require.Empty(t, tables(t, database))
	})
	t.Run("odd versions", func(t *testing.T) {
		database := testbed.Database(t)
		administer(t, database, "create schema allocation; create table allocation.migrations_products (number integer)")
		startsNot(t, database, "the table migrations_products in the schema allocation of the database ", "is another program's", "DATABASE_SCHEMA")
	})
	t.Run("tables", func(t *testing.T) {
		database := testbed.Database(t)
		administer(t, database, "create schema allocation; create table allocation.products (id bigint)")
		startsNot(t, database, "products is there", "another program's")
		require.Equal(t, map[string]bool{"products": true}, tables(t, database), "nothing was begun")
	})
	t.Run("before the first release", func(t *testing.T) {
		database := testbed.Database(t)
		administer(t, database, "create table public.goose_db_version (); create table public.positions (); create table public.kafka_cluster ()")
		startsNot(t, database, "has the tables of a version before the first release, in its schema public", "use a new database", "DATABASE_SCHEMA")
		require.Empty(t, tables(t, database))
		t.Setenv("DATABASE_SCHEMA", "another")
		runProgram(t, "migrate", "up").requireDone(t)
	})
	t.Run("views", func(t *testing.T) {
		database := testbed.Database(t)
		t.Setenv("DATABASE_URL", database)
		runProgram(t, "migrate", "up").requireDone(t)
		administer(t, database, "alter table lines rename to lines_of_others", "create view lines as select * from lines_of_others where qty > 5")
		startsNot(t, database, "lines is no table of allocation")
	})
}

func TestMigrateUp_checksAllBeforeItChangesAnything(t *testing.T) {
	database := testbed.Database(t)
	name, login := newLogin(t, database)
	t.Setenv("DATABASE_URL", login)
	refused := func(says ...string) {
		t.Helper()
		o := runProgram(t, "migrate", "up")
		require.Equal(t, cli.ExitFailed, o.code)
		for _, part := range says {
			require.Contains(t, o.err, part)
		}
	}
	nothing := func() {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), database)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		var made bool
		require.NoError(t, conn.QueryRow(t.Context(), "select to_regnamespace('allocation') is not null").Scan(&made))
		require.False(t, made)
	}
	refused("`create schema allocation authorization " + name + "`")
	nothing()
	t.Setenv("DATABASE_SCHEMA", "select")
	refused("select is a word of SQL")
	t.Setenv("DATABASE_SCHEMA", "")
	administer(t, database, "do $$ begin execute format('grant create on database %I to "+name+"', current_database()); end $$",
		"alter role "+name+" set default_transaction_read_only = on")
	refused("read only", "`alter role "+name+" reset default_transaction_read_only`")
	nothing()
	administer(t, database, "alter role "+name+" reset default_transaction_read_only")
	runProgram(t, "migrate", "up").requireDone(t) // roles are there, or the login could not make them: see below
	other, strangers := newLogin(t, database)
	t.Setenv("DATABASE_URL", strangers)
	refused("the user "+other+" may not change what "+name+" owns", "migrate as "+name, `grant "`+name+`" to "`+other+`"`)
	administer(t, database, "alter role "+name+" superuser")
	refused("migrate as " + name)
	require.NotContains(t, runProgram(t, "migrate", "up").err, "grant", "it would make a superuser of the user")
}

func TestMigrateUp_printsTheHintOfPostgres(t *testing.T) {
	database := testbed.Database(t)
	administer(t, database, `create function no_tables() returns event_trigger language plpgsql as $$
		begin raise exception 'no tables here' using hint = 'Ask the people of the platform.'; end $$`,
		`create event trigger no_tables on ddl_command_start when tag in ('CREATE TABLE') execute function no_tables()`)
	t.Setenv("DATABASE_URL", database)
	o := runProgram(t, "migrate", "up")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "no tables here")
	require.Contains(t, o.err, "Ask the people of the platform.")
}

func TestMigrateUp_namesTheRolesThatItMayNotMake(t *testing.T) {
	server := testbed.StartPostgres(t) // roles belong to a server
	name, login := newLogin(t, server.URL())
	administer(t, server.URL(), "grant create on database postgres to "+name)
	t.Setenv("DATABASE_URL", login)
	o := runProgram(t, "migrate", "up")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "`create role allocation_worker nologin; create role allocation_operator nologin`")
	require.Contains(t, o.err, "--without-roles")
	require.Empty(t, tables(t, server.URL()))

	o = runProgram(t, "migrate", "up", "--without-roles")
	o.requireDone(t)
	require.Contains(t, o.err, "there is no allocation_worker and no allocation_operator: workers and operators have to log in as the owner")
	runProgram(t, "show", "product", "CHAIR") // as the owner
	require.Empty(t, runProgram(t, "migrate", "status").err)
	administer(t, server.URL(), "create role allocation_worker; create role allocation_operator")
	require.Contains(t, runProgram(t, "migrate", "up").err, "gave a role what it lacked, grant usage on schema allocation to allocation_worker")
}

func TestProgram_refusesADatabaseThatIsNotUTF8(t *testing.T) {
	database := testbed.Database(t)
	u, err := url.Parse(database)
	require.NoError(t, err)
	name := "latin_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	administer(t, database, "create database "+name+" encoding 'LATIN1' locale 'C' template template0")
	t.Cleanup(func() { administer(t, database, "drop database "+name+" with (force)") })
	u.Path = "/" + name
	startsNot(t, u.String(), "LATIN1", "must be UTF8")
}

// asWorkersLogin starts a worker that logs in as a user with the workers' role, on a schema of
// somebody else's.
func asWorkersLogin(t *testing.T) (s *Service, database, name string) {
	t.Helper()
	database = testbed.Database(t)
	t.Setenv("DATABASE_URL", database)
	s = &Service{t: t, names: newTopicNames(t), group: "group-" + uuid.NewString()}
	runProgram(t, "migrate", "up").requireDone(t)
	runProgram(t, append([]string{"topics", "create", "--partitions=3"}, s.names.flags(t)...)...).requireDone(t)
	name, login := newLogin(t, database)
	administer(t, database, "grant allocation_worker to "+name)
	t.Setenv("DATABASE_URL", login)
	return s, database, name
}

func TestWorker_refusesToStartWithoutItsRights(t *testing.T) {
	s, database, name := asWorkersLogin(t)
	for take, c := range map[string]struct {
		give string
		says []string
	}{
		"revoke allocation_worker from " + name:                              {"grant allocation_worker to " + name, []string{"as an administrator, `grant allocation_worker to " + name + "`"}},
		"revoke select on migrations_engine from allocation_worker":          {"grant select on migrations_engine to allocation_worker", []string{"`grant select on allocation.migrations_engine to allocation_worker`"}},
		"revoke insert, update on lines from allocation_worker":              {"grant insert, update on lines to allocation_worker", []string{"`grant insert, update on allocation.lines to allocation_worker`"}},
		"revoke execute on function outbox_make_days from allocation_worker": {"grant execute on function outbox_make_days to allocation_worker", []string{"`grant execute on function allocation.outbox_make_days to allocation_worker`"}},
		"alter table products enable row level security": {
			"alter table products disable row level security", []string{"row level security hides rows of products", "`alter table allocation.products disable row level security`"},
		},
	} {
		administer(t, database, take)
		o := s.runWorker()
		require.Equal(t, cli.ExitFailed, o.code, take)
		for _, part := range c.says {
			require.Contains(t, o.err, part)
		}
		administer(t, database, c.give)
	}
	s.start()
}

// The order's product exists, and nobody may be told otherwise.
func TestWorker_namesTheRightThatItLostAndRefusesNoOrder(t *testing.T) {
	s, database, _ := asWorkersLogin(t)
	s.start()
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	s.tail(1)
	require.NoError(t, s.stop())
	s.start() // and remembers nothing
	for n, c := range []struct{ take, says, give string }{
		{"alter table products enable row level security", "as the owner of the tables, `alter table allocation.products disable row level security`", "alter table products disable row level security"},
		{"revoke insert on lines from allocation_worker", "as the owner of the tables, `grant insert on allocation.lines to allocation_worker`", "grant insert on lines to allocation_worker"},
	} {
		administer(t, database, c.take)
		s.send("Allocate", fmt.Sprintf("orderid=o%d", n), "sku=CHAIR", "qty=1")
		noted := func() bool { return strings.Contains(s.get("/readyz"), c.says) }
		require.Eventually(t, noted, 30*time.Second, 50*time.Millisecond)
		require.Contains(t, s.get("/metrics"), `allocation_access_refused_total{reason="right",system="postgres"}`)
		require.Contains(t, s.log.String(), "a right is missing; trying on")
		require.Contains(t, s.log.String(), c.says)
		administer(t, database, c.give)
		require.Contains(t, s.tail(n + 2)[n+1], fmt.Sprintf("order o%d gets 1 of batch b1", n))
		require.Eventually(t, func() bool { return s.get("/readyz") == "200 {\"ready\":true}\n" }, 30*time.Second, 50*time.Millisecond)
	}
}

func TestProgram_saysWhichRoleAPersonNeeds(t *testing.T) {
	_, database, _ := asWorkersLogin(t)
	name, login := newLogin(t, database)
	t.Setenv("DATABASE_URL", login)
	o := runProgram(t, "show", "order", "o1")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "permission denied for schema allocation: the user "+name+" may not read it")
	require.Contains(t, o.err, "`grant allocation_operator to "+name+"`")
	administer(t, database, "grant usage on schema allocation to "+name, "grant select on migrations_engine, migrations_products to "+name)
	o = runProgram(t, "show", "order", "o1")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "permission denied for table")
	require.Contains(t, o.err, "`grant allocation_operator to \""+name+"\"`")
}

// newRole makes a role that nobody has, with default privileges on all that the administrator
// makes, as a hosting platform gives them.
func newRole(t *testing.T, database string) (name string) {
	t.Helper()
	name = "anon_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	administer(t, database, "create role "+name+" login")
	t.Cleanup(func() { administer(t, database, "drop owned by "+name, "drop role "+name) })
	for _, kind := range []string{"tables", "sequences", "functions", "types"} {
		administer(t, database, "alter default privileges grant all on "+kind+" to "+name)
	}
	return name
}

// reaches are the objects of the schema that a role may do anything with.
func reaches(t *testing.T, database, role string) (objects []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `
		select relname::text from pg_class where relnamespace = 'allocation'::regnamespace and relkind in ('r', 'p', 'v') and (
			has_table_privilege($1, oid, 'select, insert, update, delete, truncate, references, trigger') or has_any_column_privilege($1, oid, 'select, insert, update, references'))
		union all
		select relname::text from pg_class where relnamespace = 'allocation'::regnamespace
			and case relkind when 'S' then has_sequence_privilege($1, oid, 'usage, select, update') else false end
		union all
		select oid::regprocedure::text from pg_proc where pronamespace = 'allocation'::regnamespace and has_function_privilege($1, oid, 'execute')
		union all
		select typname::text from pg_type where typnamespace = 'allocation'::regnamespace and typtype = 'e' and has_type_privilege($1, oid, 'usage')`, role)
	require.NoError(t, err)
	objects, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return objects
}

// A hosting platform gives its role of strangers everything that anybody makes, and PUBLIC may call
// whatever is made.
func TestMigrateUp_takesFromOthersWhatDefaultPrivilegesGive(t *testing.T) {
	database := testbed.Database(t)
	anon := newRole(t, database)
	t.Setenv("DATABASE_URL", database)
	o := runProgram(t, "migrate", "up")
	o.requireDone(t)
	require.Contains(t, o.err, "revoked what another role had, "+anon+": ")
	require.Empty(t, reaches(t, database, anon))
	require.Empty(t, runProgram(t, "migrate", "status").err)

	_, login := newLogin(t, database)
	u, err := url.Parse(login)
	require.NoError(t, err)
	administer(t, database, "grant allocation_worker to "+u.User.Username())
	administer(t, login, "select outbox_make_days(20)")
	days := reaches(t, database, "allocation_worker")
	require.NotContains(t, strings.Join(days, " "), "outbox_2")
	require.Empty(t, reaches(t, database, anon), "nor a day that is made later")

	administer(t, database, "grant update (qty) on lines to "+anon, "grant select on products to public", "grant execute on function decide_position to "+anon,
		"grant create on schema allocation to "+anon)
	o = runProgram(t, "migrate", "status")
	o.requireDone(t)
	require.Contains(t, o.err, "another role has rights, "+anon+": function decide_position(")
	require.Contains(t, o.err, ", schema allocation, table lines; `allocation migrate up` as the owner takes them away")
	require.Contains(t, o.err, "another role has rights, PUBLIC: table products;")
	runProgram(t, "migrate", "up").requireDone(t)
	require.Empty(t, reaches(t, database, anon))

	require.Empty(t, runProgram(t, "migrate", "status").err)
	runProgram(t, "migrate", "down", "--yes", "--line=products", "--to=1").requireDone(t)
	require.Empty(t, reaches(t, database, anon), "nor what going down makes again")
	runProgram(t, "migrate", "up").requireDone(t)
}

// Where administrators let nobody call functions but who is named, workers and operators are.
func TestMigrateUp_letsTheRolesCallWhatTheyNeed(t *testing.T) {
	database := testbed.Database(t)
	administer(t, database, "alter default privileges revoke execute on functions from public")
	t.Cleanup(func() { administer(t, database, "alter default privileges grant execute on functions to public") })
	t.Setenv("DATABASE_URL", database)
	s := &Service{t: t, names: newTopicNames(t), group: "group-" + uuid.NewString()}
	runProgram(t, "migrate", "up").requireDone(t)
	runProgram(t, append([]string{"topics", "create", "--partitions=3"}, s.names.flags(t)...)...).requireDone(t)
	name, login := newLogin(t, database)
	administer(t, database, "grant allocation_worker to "+name)
	t.Setenv("DATABASE_URL", login)
	s.start()
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	require.Len(t, s.tail(1), 1)
}
