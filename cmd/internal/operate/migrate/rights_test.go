package migrate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

func TestMigrateUp_checksAllBeforeItChangesAnything(t *testing.T) {
	t.Parallel()
	database := testbed.Database(t)
	name, login := programtest.NewLogin(t, database)
	testbed.Migrated(t) // which made the roles
	programtest.UseDatabase(t, login)
	refused := func(says ...string) {
		t.Helper()
		programtest.Run(t, "migrate", "up").RequireFailed(t, says...)
	}
	nothing := func() {
		t.Helper()
		require.Equal(t, []bool{true}, programtest.Query[bool](t, database, "select to_regnamespace('allocation') is null"))
	}
	refused("`create schema allocation authorization " + name + "`")
	nothing()
	programtest.Run(t, "migrate", "up", "--database-schema=select").RequireFailed(t, "select is a word of SQL")
	programtest.Administer(t, database, "do $$ begin execute format('grant create on database %I to "+name+"', current_database()); end $$",
		"alter role "+name+" set default_transaction_read_only = on")
	refused("read only", "`alter role "+name+" reset default_transaction_read_only`")
	nothing()
	programtest.Administer(t, database, "alter role "+name+" reset default_transaction_read_only")
	programtest.Run(t, "migrate", "up").RequireDone(t)
	other, strangers := programtest.NewLogin(t, database)
	programtest.UseDatabase(t, strangers)
	refused("the user "+other+" may not change what "+name+" owns", "migrate as "+name, `grant "`+name+`" to "`+other+`"`)
	programtest.Administer(t, database, "alter role "+name+" superuser")
	refused("migrate as " + name)
	require.NotContains(t, programtest.Run(t, "migrate", "up").Err, "grant", "it would make a superuser of the user")
}

func TestMigrateUp_printsTheHintOfPostgres(t *testing.T) {
	t.Parallel()
	database := programtest.NewDatabase(t)
	programtest.Administer(t, database, `create function no_tables() returns event_trigger language plpgsql as $$
		begin raise exception 'no tables here' using hint = 'Ask the people of the platform.'; end $$`,
		`create event trigger no_tables on ddl_command_start when tag in ('CREATE TABLE') execute function no_tables()`)
	programtest.Run(t, "migrate", "up").RequireFailed(t, "no tables here", "Ask the people of the platform.")
}

func TestMigrateUp_namesTheRolesThatItMayNotMake(t *testing.T) {
	t.Parallel()
	server := testbed.StartPostgres(t) // roles belong to a server
	name, login := programtest.NewLogin(t, server.URL())
	programtest.Administer(t, server.URL(), "grant create on database postgres to "+name)
	programtest.UseDatabase(t, login)
	programtest.Run(t, "migrate", "up").RequireFailed(t, "`create role allocation_worker nologin; create role allocation_operator nologin`", "--without-roles")
	require.Empty(t, programtest.Tables(t, server.URL()))

	programtest.Run(t, "migrate", "up", "--without-roles").RequireDone(t,
		"there is no allocation_worker and no allocation_operator: workers and operators have to log in as the owner")
	programtest.Run(t, "show", "product", "CHAIR") // as the owner
	require.Empty(t, programtest.Run(t, "migrate", "status").Err)
	programtest.Administer(t, server.URL(), "create role allocation_worker; create role allocation_operator")
	require.Contains(t, programtest.Run(t, "migrate", "up").Err, "gave a role what it lacked, grant usage on schema allocation to allocation_worker")
}

// givesAll has a role given all on everything that the administrator makes.
func givesAll(t *testing.T, database, name string) {
	t.Helper()
	for _, kind := range []string{"tables", "sequences", "functions", "types"} {
		programtest.Administer(t, database, "alter default privileges grant all on "+kind+" to "+name)
	}
}

// reaches are the objects of the schema that a role may do anything with.
func reaches(t *testing.T, database, role string) []string {
	t.Helper()
	return programtest.Query[string](t, database, `
		select relname::text from pg_class where relnamespace = 'allocation'::regnamespace and relkind in ('r', 'p', 'v') and (
			has_table_privilege($1, oid, 'select, insert, update, delete, truncate, references, trigger') or has_any_column_privilege($1, oid, 'select, insert, update, references'))
		union all
		select relname::text from pg_class where relnamespace = 'allocation'::regnamespace
			and case relkind when 'S' then has_sequence_privilege($1, oid, 'usage, select, update') else false end
		union all
		select oid::regprocedure::text from pg_proc where pronamespace = 'allocation'::regnamespace and has_function_privilege($1, oid, 'execute')
		union all
		select typname::text from pg_type where typnamespace = 'allocation'::regnamespace and typtype = 'e' and has_type_privilege($1, oid, 'usage')`, role)
}

// A hosting platform gives its role of strangers everything that anybody makes, and PUBLIC may call
// whatever is made.
func TestMigrateUp_takesFromOthersWhatDefaultPrivilegesGive(t *testing.T) {
	t.Parallel()
	database := programtest.NewDatabase(t)
	anon, _ := programtest.NewLogin(t, database)
	givesAll(t, database, anon)
	programtest.Run(t, "migrate", "up").RequireDone(t, "revoked what another role had, "+anon+": ")
	require.Empty(t, reaches(t, database, anon))
	require.Empty(t, programtest.Run(t, "migrate", "status").Err)

	worker, login := programtest.NewLogin(t, database)
	programtest.Administer(t, database, "grant allocation_worker to "+worker)
	programtest.Administer(t, login, "select outbox_make_days(20)")
	require.NotContains(t, strings.Join(reaches(t, database, "allocation_worker"), " "), "outbox_2")
	require.Empty(t, reaches(t, database, anon), "nor a day that is made later")

	programtest.Administer(t, database, "grant update (qty) on lines to "+anon, "grant select on products to public", "grant execute on function decide_position to "+anon,
		"grant create on schema allocation to "+anon)
	programtest.Run(t, "migrate", "status").RequireDone(t, "another role has rights, "+anon+": function decide_position(",
		", schema allocation, table lines; `allocation migrate up` as the owner takes them away",
		"another role has rights, PUBLIC: table products;")
	programtest.Run(t, "migrate", "up").RequireDone(t)
	require.Empty(t, reaches(t, database, anon))

	require.Empty(t, programtest.Run(t, "migrate", "status").Err)
	programtest.Run(t, "migrate", "down", "--yes", "--line=products", "--to=1").RequireDone(t)
	require.Empty(t, reaches(t, database, anon), "nor what going down makes again")
	programtest.Run(t, "migrate", "up").RequireDone(t)
}

// Where administrators let nobody call functions but who is named, workers and operators are.
func TestMigrateUp_letsTheRolesCallWhatTheyNeed(t *testing.T) {
	t.Parallel()
	database := programtest.NewDatabase(t)
	programtest.Administer(t, database, "alter default privileges revoke execute on functions from public")
	s := programtest.NewService(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	s.Names.Create(t, "--partitions=3").RequireDone(t)
	name, login := programtest.NewLogin(t, database)
	programtest.Administer(t, database, "grant allocation_worker to "+name)
	programtest.UseDatabase(t, login)
	s.Start()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	require.Len(t, s.Tail(1), 1)
}
