package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// mayUse is what the role allocation_worker may do, exactly: a table that is not here, or a right that is not in its line, is refused.
var mayUse = map[string]string{
	"kafka_cluster":    "select insert",
	"positions":        "select insert update",
	"products":         "select insert update",
	"batches":          "select insert update",
	"lines":            "select insert update",
	"outbox":           "select insert",
	"dead_letters":     "select insert",
	"held_keys":        "select insert",
	"goose_db_version": "select",
}

// notYetUsed are the rights of tables that no code works with so far.
var notYetUsed = []string{"held_keys"}

// mayCallAsOwner are the functions that act with the owner's rights.
var mayCallAsOwner = []string{"outbox_drop_day", "outbox_make_days"}

// probes try a right without changing anything.
var probes = map[string]string{
	"select":   `select from %[1]s limit 0`,
	"insert":   `insert into %[1]s select (%[1]s).* from %[1]s where false`,
	"update":   `update %[1]s set %[2]s = default where false`,
	"delete":   `delete from %[1]s where false`,
	"truncate": `truncate %[1]s`,
}

// login makes a user who is a worker and nothing else, and returns its URL.
func (b *bench) login() string {
	b.t.Helper()
	name := "worker_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	b.sudo("create role " + name + " login in role allocation_worker")
	b.t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), b.url)
		require.NoError(b.t, err)
		defer conn.Close(context.Background())
		_, err = conn.Exec(context.Background(), "drop role "+name)
		require.NoError(b.t, err)
	})
	u, err := url.Parse(b.url)
	require.NoError(b.t, err)
	u.User = url.User(name)
	return u.String()
}

// sudo runs a statement as the owner.
func (b *bench) sudo(statement string) {
	b.t.Helper()
	_, err := b.pool.Exec(b.t.Context(), statement)
	require.NoError(b.t, err, statement)
}

// asWorker opens a store for a user who may do what a worker does.
func (b *bench) asWorker() *Store {
	b.t.Helper()
	s, err := Open(b.t.Context(), Options{URL: b.login(), Owner: "worker"})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

// work does everything that a worker does, with products of its own.
func (b *bench) work(s *Store, sku string) error {
	ctx := b.t.Context()
	if err := errors.Join(s.CheckSchema(ctx), s.CheckCluster(ctx, "cluster", "group")); err != nil {
		return err
	}
	requests := []worker.ClaimRequest{{Topic: "commands-" + sku, TopicID: [16]byte{1}}}
	if err := s.Introduce(ctx, requests); err != nil {
		return err
	}
	claims, err := s.Claim(ctx, requests)
	if err != nil {
		return err
	}
	b.claims, b.offset, b.rows = claims, []int64{0}, []int64{0}
	for _, batch := range [][]worker.Command{{
		command(0, "CreateBatch", `{"ref":"b1-%s","sku":%q,"qty":50}`, sku, sku),
		command(0, "CreateBatch", `{"ref":"b2-%s","sku":%q,"qty":50}`, sku, sku),
		command(0, "Allocate", `{"orderid":"o1","sku":%q,"qty":20}`, sku),
		command(0, "Allocate", `{}`),
	}, {command(0, "ChangeBatchQuantity", `{"batchref":"b1-%s","qty":1}`, sku), command(0, "Dispatch", `{"orderid":"o1","sku":%q}`, sku)}} {
		next := b.batch(batch...)
		applied, err := s.Apply(ctx, next)
		if err != nil {
			return err
		}
		b.committed(next, applied)
	}
	return b.afterwards(s)
}

func (b *bench) afterwards(s *Store) error {
	ctx, claim := b.t.Context(), b.claims[0]
	_, rows := s.Rows(ctx, claim.Source, 0, b.rows[0])
	_, saved := s.SavePublished(ctx, []worker.Progress{{Source: claim.Source.ID, Token: claim.Token, Published: 1}})
	_, maintained := s.Maintain(ctx, 7*24*time.Hour)
	_, ahead := s.OutboxDaysAhead(ctx)
	return errors.Join(rows, saved, maintained, ahead, s.Nudge(ctx, []int32{claim.Source.ID}))
}

func TestRole_needsEachOfItsRights(t *testing.T) {
	b := setup(t, 0)
	s := b.asWorker()
	require.NoError(t, b.work(s, "all"))
	for table, rights := range mayUse {
		for right := range strings.FieldsSeq(rights) {
			if slices.Contains(notYetUsed, table) {
				continue
			}
			b.sudo(fmt.Sprintf("delete from kafka_cluster; revoke %s on %s from allocation_worker", right, table))
			require.ErrorContains(t, b.work(s, right+table), "permission denied for table "+table, "without %s on %s", right, table)
			b.sudo(fmt.Sprintf("grant %s on %s to allocation_worker", right, table))
		}
	}
	for _, function := range mayCallAsOwner {
		b.sudo(fmt.Sprintf("revoke execute on function %s from allocation_worker", function))
		require.ErrorContains(t, b.work(s, function), "permission denied for function "+function)
		b.sudo(fmt.Sprintf("grant execute on function %s to allocation_worker", function))
	}
	require.NoError(t, b.work(s, "again"))
}

func TestRole_mayUseTablesAsListed(t *testing.T) {
	b := setup(t, 0)
	s := b.asWorker()
	for table, column := range b.columns() {
		listed := strings.Fields(mayUse[table])
		for right, probe := range probes {
			_, err := s.pool.Exec(t.Context(), fmt.Sprintf(probe, table, column))
			if slices.Contains(listed, right) {
				require.False(t, isRefused(err), "%s %s is listed: %v", right, table, err)
			} else {
				require.True(t, isRefused(err), "%s %s is not listed: %v", right, table, err)
			}
		}
		for _, right := range []string{"references", "trigger"} {
			require.False(t, b.ask(s, `select has_table_privilege($1, $2) or has_any_column_privilege($1, 'references')`, table, right), "%s %s", right, table)
		}
	}
	for table := range mayUse {
		require.Contains(t, b.columns(), table, "listed, and not there")
	}
}

// columns has one column of every table, the outbox' days among them.
func (b *bench) columns() map[string]string {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), `select c.relname, min(a.attname::text) from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
		where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace = 'public'::regnamespace group by 1`)
	require.NoError(b.t, err)
	columns := map[string]string{}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error { columns[table] = column; return nil })
	require.NoError(b.t, err)
	return columns
}

func (b *bench) ask(s *Store, question string, args ...any) (yes bool) {
	b.t.Helper()
	require.NoError(b.t, s.pool.QueryRow(b.t.Context(), question, args...).Scan(&yes))
	return yes
}

func TestRole_mayCallFunctionsThatActForTheOwnerAsListed(t *testing.T) {
	b := setup(t, 0)
	s := b.asWorker()
	rows, err := s.pool.Query(t.Context(), `select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace and has_function_privilege(oid, 'execute')`)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.ElementsMatch(t, mayCallAsOwner, found)

	rows, err = s.pool.Query(t.Context(), `select proname::text from pg_proc where prosecdef and (proconfig is null or not 'search_path=pg_catalog, public, pg_temp' = any(proconfig))
		and pronamespace = 'public'::regnamespace`)
	require.NoError(t, err)
	found, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, found, "they must not be led to other tables")
}

func TestRole_mayDoNothingElse(t *testing.T) {
	b := setup(t, 0)
	s := b.asWorker()
	b.sudo("create schema other; create table other.things ()")
	for _, forbidden := range []string{
		`create table mine ()`, `create schema mine`, `create function mine() returns int language sql as 'select 1'`, `create type mine as enum ('a')`,
		`create view mine as select 1`, `create extension dblink`, `create database mine`, `create role mine`, `create publication mine`,
		`create foreign data wrapper mine`, `create or replace function expect_count(bigint, bigint, text) returns void language sql as ''`,
		`create trigger mine before insert on lines for each row execute function suppress_redundant_updates_trigger()`, `create index on lines (qty)`,
		`alter table lines add column mine int`, `alter table positions disable trigger all`, `alter table lines owner to current_user`, `alter role current_user superuser`,
		`alter function outbox_make_days(integer) security invoker`, `alter system set fsync = off`, `alter database postgres set fsync = off`, `alter schema public rename to mine`,
		`drop table outbox`, `drop table lines`, `drop function move_positions`, `drop schema public cascade`, `drop owned by allocation_worker`, `drop role allocation_worker`,
		`set role postgres`, `set session authorization postgres`, `set session_replication_role = replica`, `grant allocation_worker to pg_monitor`,
		`copy positions to '/tmp/positions'`, `copy positions from '/etc/passwd'`, `copy positions to program 'cat'`, `copy (select 1) to '/tmp/one'`,
		`select pg_read_file('/etc/passwd')`, `select pg_ls_dir('/')`, `select lo_import('/etc/passwd')`, `select lo_export(1, '/tmp/x')`, `select * from pg_authid`,
		`select * from other.things`, `create table other.mine ()`, `do $$ begin lock table outbox in access exclusive mode; end $$`, `cluster lines using lines_pkey`,
		`select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user and usename is not null limit 1`, `select pg_reload_conf()`,
		`select pg_create_logical_replication_slot('mine', 'pgoutput')`, `select pg_switch_wal()`, `select setval('positions_source_seq', 1)`,
		`update pg_class set relname = 'mine' where false`, `comment on table lines is 'mine'`, `security label on table lines is 'mine'`, `checkpoint`,
	} {
		_, err := s.pool.Exec(t.Context(), forbidden)
		assert.True(t, isRefused(err), "%s: %v", forbidden, err)
	}
}

var denied = regexp.MustCompile(`permission denied|must be owner|must be superuser|must have|must be a superuser|no security label providers`)

// isRefused: Postgres says that the user may not, and not that something is wrong with the statement.
func isRefused(err error) bool {
	var pg *pgconn.PgError
	const insufficientPrivilege = "42501"
	return errors.As(err, &pg) && (pg.Code == insufficientPrivilege || denied.MatchString(pg.Message))
}
