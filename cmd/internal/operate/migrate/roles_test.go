package migrate_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// held are all rights that a role itself has in the schema.
func held(t *testing.T, database, role string) []string {
	t.Helper()
	return programtest.Query[string](t, database, `
		select distinct concat_ws(' ', name, col, privilege_type, is_grantable) from (
			select nspname::text as name, null::name as col, nspacl as acl from pg_namespace where nspname = 'allocation'
			union all
			select relname, null, relacl from pg_class where relnamespace = 'allocation'::regnamespace
			union all
			select relname, attname, attacl from pg_class c join pg_attribute a on a.attrelid = c.oid where relnamespace = 'allocation'::regnamespace
			union all
			select oid::regprocedure::text, null, coalesce(proacl, acldefault('f', proowner)) from pg_proc where pronamespace = 'allocation'::regnamespace
			union all
			select typname, null, typacl from pg_type where typnamespace = 'allocation'::regnamespace) o, aclexplode(acl)
		where grantee = (select oid from pg_roles where rolname = $1) or grantee = 0 order by 1`, role)
}

// newNamedRole makes a role as an administrator with rules for names would.
func newNamedRole(t *testing.T, database, prefix string) (name, quoted string) {
	t.Helper()
	name = prefix + "-" + uuid.NewString()
	quoted = pgx.Identifier{name}.Sanitize()
	programtest.Administer(t, database, "create role "+quoted)
	t.Cleanup(func() { programtest.Administer(t, database, "drop owned by "+quoted, "drop role "+quoted) })
	return name, quoted
}

func TestMigrateUp_leavesEachRoleTheRightsThatAreDeclared(t *testing.T) {
	t.Parallel()
	plain := testbed.Migrated(t)
	roles := []string{"allocation_worker", "allocation_operator"}
	exactly := func(database string) {
		t.Helper()
		for _, role := range roles {
			require.NotEmpty(t, held(t, database, role))
			require.Equal(t, held(t, plain, role), held(t, database, role))
		}
	}

	database := programtest.NewDatabase(t)
	for _, role := range roles {
		givesAll(t, database, role)
	}
	require.Contains(t, programtest.Run(t, "migrate", "up").Err, "revoked what a role had and does not need, allocation_worker: ")
	exactly(database)
	programtest.Administer(t, database, "select outbox_make_days(20)")
	exactly(database)

	between, _ := programtest.NewLogin(t, database)
	programtest.Administer(t, database, "grant usage on schema allocation to "+between, "grant truncate on lines to "+between+" with grant option",
		"set role "+between+"; grant truncate on lines to allocation_worker")
	programtest.Run(t, "migrate", "up").RequireDone(t)
	exactly(database)

	for _, excess := range []map[string]string{ // a few of each role at once: no more of them are named
		{
			"grant delete on positions to allocation_worker":                    "allocation_worker: delete on table positions",
			"grant update on dead_letters to allocation_worker":                 "allocation_worker: update on table dead_letters",
			"grant select on positions to allocation_worker with grant option":  "allocation_worker: select on table positions",
			"grant usage on sequence positions_source_seq to allocation_worker": "allocation_worker: usage on sequence positions_source_seq",
			"grant update (qty) on lines to allocation_operator":                "allocation_operator: update(qty) on table lines",
		},
		{
			"grant execute on function decide_position to allocation_worker": "allocation_worker: execute on function decide_position(",
			"grant usage on type line_state to allocation_worker":            "allocation_worker: usage on type line_state",
			"grant execute on function save_products to allocation_operator": "allocation_operator: execute on function save_products(",
			"grant create on schema allocation to allocation_operator":       "allocation_operator: create on schema allocation",
			"do $$ begin execute format('grant select on %I to allocation_worker'," +
				" 'outbox_' || to_char(outbox_today(), 'YYYYMMDD')); end $$": "allocation_worker: select on table outbox_2",
		},
	} {
		programtest.Administer(t, database, slices.Collect(maps.Keys(excess))...)
		status, up := programtest.Run(t, "migrate", "status").Err, programtest.Run(t, "migrate", "up").Err
		for _, right := range excess {
			role, what, _ := strings.Cut(right, ": ")
			right = role + ": .*" + regexp.QuoteMeta(what)
			require.Regexp(t, "a role has rights that it does not need, "+right, status)
			require.Regexp(t, "revoked what a role had and does not need, "+right, up)
		}
		exactly(database)
		require.Empty(t, programtest.Run(t, "migrate", "status").Err)
	}
	require.Empty(t, programtest.Run(t, "migrate", "up").Err)
}

func TestMigrateUp_takesRolesOfOtherNames(t *testing.T) {
	s, database, _ := programtest.AsWorkersLogin(t)
	worker, quotedWorker := newNamedRole(t, database, "App worker")
	operator, quotedOperator := newNamedRole(t, database, "support")
	name, login := programtest.NewLogin(t, database)
	programtest.UseDatabase(t, database)
	t.Setenv("WORKER_ROLE", worker)
	programtest.Run(t, "migrate", "up", "--operator-role="+operator).RequireDone(t, "revoked what another role had, allocation_worker: ")
	t.Setenv("WORKER_ROLE", "")
	require.Empty(t, programtest.Run(t, "migrate", "up").Err, "it remembers the roles")
	require.Empty(t, held(t, database, "allocation_worker"))
	require.Equal(t, "allocation: the role of workers is "+worker+", and that of operators "+operator+"\n", programtest.Run(t, "migrate", "status").Err)

	programtest.UseDatabase(t, login)
	require.Contains(t, s.RunWorker().Err, "`grant "+quotedWorker+" to "+name+"`")
	programtest.Run(t, "show", "product", "CHAIR").RequireFailed(t, "`grant "+quotedOperator+" to "+name+"` for a person")
	programtest.Administer(t, database, "grant "+quotedWorker+" to "+name)
	s.Start()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	require.Len(t, s.Tail(1), 1)
	require.NoError(t, s.Stop())
	programtest.Administer(t, database, "revoke "+quotedWorker+" from "+name, "grant "+quotedOperator+" to "+name)
	require.Contains(t, programtest.Run(t, "show", "product", "CHAIR").RequireDone(t), "b1")

	programtest.UseDatabase(t, database)
	programtest.Administer(t, database, "grant "+quotedOperator+" to "+quotedWorker)
	inherits := "by being a member of others, " + worker + ": all that " + quotedOperator + " has; only an administrator can end that"
	require.Contains(t, programtest.Run(t, "migrate", "status").Err, inherits)
	o := programtest.Run(t, "migrate", "up")
	require.Contains(t, o.Err, inherits)
	require.NotContains(t, o.Err, "revoked")
	programtest.Administer(t, database, "revoke "+quotedOperator+" from "+quotedWorker)

	programtest.Run(t, "migrate", "down", "--to=0", "--yes").RequireDone(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	require.NotEmpty(t, held(t, database, worker), "it remembers the roles")
	programtest.Run(t, "migrate", "up", "--worker-role=allocation_worker", "--operator-role=allocation_operator").RequireDone(t)
	require.Empty(t, held(t, database, worker))
	require.Empty(t, programtest.Run(t, "migrate", "status").Err)
}

func TestMigrateUp_refusesRolesThatProtectNothing(t *testing.T) {
	t.Parallel()
	database := testbed.Database(t)
	owner, owns := programtest.NewLogin(t, database)
	programtest.Administer(t, database, "create schema allocation authorization "+owner)
	fine, _ := newNamedRole(t, database, "support")
	super, quotedSuper := newNamedRole(t, database, "super")
	member, quotedMember := newNamedRole(t, database, "member")
	programtest.Administer(t, database, "alter role "+quotedSuper+" superuser", "grant "+owner+" to "+quotedMember)
	programtest.UseDatabase(t, owns)
	for role, says := range map[string]string{
		"no-such-role":         "there is no role no-such-role: as an administrator, `create role \"no-such-role\" nologin`; or name another with --worker-role",
		super:                  "the role " + super + " is a superuser, whom nothing is forbidden: as an administrator, `alter role " + quotedSuper + " nosuperuser`",
		fine:                   "workers and operators have one role, " + fine + ": name two",
		owner:                  "the role " + owner + " owns the schema",
		member:                 "the role " + member + " is a member of " + owner + ", the owner of the schema",
		"pg_read_all_data":     "the role pg_read_all_data is Postgres' own",
		strings.ToUpper(owner): "there is no role USER_",
	} {
		programtest.Run(t, "migrate", "up", "--worker-role="+role, "--operator-role="+fine).RequireFailed(t, says)
		require.Empty(t, programtest.Tables(t, database))
	}
	programtest.Run(t, "migrate", "up", "--worker-role=no-such-role", "--operator-role="+fine, "--without-roles").RequireDone(t,
		"there is no no-such-role: workers and operators have to log in as the owner")
	programtest.Run(t, "migrate", "up").RequireFailed(t, "there is no role no-such-role")
}
