package products

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"allocation/migrations"
)

// mayUse is what each role may do, exactly: a table that is not here, or a right that is not in its
// line, is refused.
func mayUse() map[string]map[string][]string {
	all := map[string]map[string][]string{}
	roles := migrations.DefaultSchema.DefaultRoles()
	for role, rights := range map[string][]migrations.TableRight{roles.Worker: Service.Lines().WorkerRights(), roles.Operator: Service.Lines().OperatorRights()} {
		all[role] = map[string][]string{}
		for _, r := range rights {
			right := r.What
			if r.Column != "" {
				right += "(" + r.Column + ")"
			}
			all[role][r.Table] = append(all[role][r.Table], right)
		}
	}
	return all
}

// mayCallAsOwner are the functions that act with the owner's rights.
var mayCallAsOwner = map[string][]string{
	"allocation_worker":   {"keep_transactions", "keep_unparked", "outbox_drop_day", "outbox_index_day", "outbox_make_days"},
	"allocation_operator": {"decide_position"},
	"public":              nil,
}

const mayUseSQL = `
select c.relname::text, r.name from pg_class c, unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) r (name)
where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace = 'allocation'::regnamespace and has_table_privilege($1, c.oid, r.name)
union
select c.relname::text, r.name || '(' || a.attname || ')' from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped,
    unnest(array['select', 'insert', 'update', 'references']) r (name)
where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace = 'allocation'::regnamespace
    and has_column_privilege($1, c.oid, a.attnum, r.name) and not has_table_privilege($1, c.oid, r.name)
union
select c.relname::text, r.name from pg_class c, unnest(array['usage', 'select', 'update']) r (name)
where c.relkind = 'S' and c.relnamespace = 'allocation'::regnamespace and has_sequence_privilege($1, c.oid, r.name)
order by 1, 2`

func TestRole_mayUseTablesAsListed(t *testing.T) {
	b := setup(t, 0)
	for role, tables := range mayUse() {
		_, _ = b.ConnectTo(b.Login(role)).Exec(t.Context(), "drop owned by "+role) // whether it is refused or not: the owner's grants stay
		rows, err := b.DB.Query(t.Context(), mayUseSQL, role)
		require.NoError(t, err)
		found := map[string][]string{}
		var table, right string
		_, err = pgx.ForEachRow(rows, []any{&table, &right}, func() error { found[table] = append(found[table], right); return nil })
		require.NoError(t, err)
		for _, rights := range tables {
			slices.Sort(rights)
		}
		require.Equal(t, tables, found, role)
	}
}

func TestRole_mayCallFunctionsThatActForTheOwnerAsListed(t *testing.T) {
	b := setup(t, 0)
	for role, listed := range mayCallAsOwner {
		rows, err := b.DB.Query(t.Context(), `select proname::text from pg_proc
			where prosecdef and pronamespace = 'allocation'::regnamespace and has_function_privilege($1, oid, 'execute')`, role)
		require.NoError(t, err)
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		require.ElementsMatch(t, listed, found, role)
	}
	rows, err := b.DB.Query(t.Context(), `select proname::text from pg_proc where prosecdef and (proconfig is null or not 'search_path=allocation, pg_temp' = any(proconfig))
		and pronamespace = 'allocation'::regnamespace`)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, found, "they must not be led to other tables")
}

func TestRole_mayDoNothingElse(t *testing.T) {
	b := setup(t, 0)
	b.Exec("create schema other; create table other.things ()")
	for role := range mayUse() {
		conn := b.ConnectTo(b.Login(role))
		for _, forbidden := range forbidden {
			_, err := conn.Exec(t.Context(), forbidden)
			assert.True(t, isRefused(err), "%s: %s: %v", role, forbidden, err)
		}
	}
}

var forbidden = []string{
	`create table mine ()`, `create schema mine`, `create function mine() returns int language sql as 'select 1'`, `create type mine as enum ('a')`,
	`create view mine as select 1`, `create extension dblink`, `create database mine`, `create role mine`, `create publication mine`,
	`create foreign data wrapper mine`, `create or replace function expect_count(bigint, bigint, text) returns void language sql as ''`,
	`create trigger mine before insert on lines for each row execute function suppress_redundant_updates_trigger()`, `create index on lines (qty)`,
	`alter table lines add column mine int`, `alter table positions disable trigger all`, `alter table lines owner to current_user`, `alter role current_user superuser`,
	`alter function outbox_make_days(integer) security invoker`, `alter system set fsync = off`, `alter database postgres set fsync = off`, `alter schema allocation rename to mine`,
	`drop table outbox`, `drop table lines`, `drop function move_positions`, `drop schema allocation cascade`, `drop role allocation_worker`,
	`set role postgres`, `set session authorization postgres`, `set session_replication_role = replica`, `grant allocation_worker to pg_monitor`,
	`copy positions to '/tmp/positions'`, `copy positions from '/etc/passwd'`, `copy positions to program 'cat'`, `copy (select 1) to '/tmp/one'`,
	`select pg_read_file('/etc/passwd')`, `select pg_ls_dir('/')`, `select lo_import('/etc/passwd')`, `select lo_export(1, '/tmp/x')`, `select * from pg_authid`,
	`select * from other.things`, `create table other.mine ()`, `do $$ begin lock table outbox in access exclusive mode; end $$`, `cluster lines using lines_pkey`,
	`select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user and usename is not null limit 1`, `select pg_reload_conf()`,
	`select pg_create_logical_replication_slot('mine', 'pgoutput')`, `select pg_switch_wal()`, `select setval('positions_source_seq', 1)`, `select nextval('positions_source_seq')`,
	`update pg_class set relname = 'mine' where false`, `comment on table lines is 'mine'`, `security label on table lines is 'mine'`, `checkpoint`,
}

var denied = regexp.MustCompile(`permission denied|must be owner|must be superuser|must have|must be a superuser|no security label providers`)

// isRefused: Postgres says that the user may not, and not that something is wrong with the
// statement.
func isRefused(err error) bool {
	var pg *pgconn.PgError
	const insufficientPrivilege = "42501"
	return errors.As(err, &pg) && (pg.Code == insufficientPrivilege || denied.MatchString(pg.Message))
}
