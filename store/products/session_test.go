package products

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/worker"
)

// set changes a setting for a login.
func (b *bench) set(login, setting string) {
	b.T.Helper()
	u, err := url.Parse(login)
	require.NoError(b.T, err)
	b.Exec("alter role " + u.User.Username() + " set " + setting)
}

// reads opens a store of another worker at a URL, and has it decide an order of a product that
// exists.
func (b *bench) reads(address string) (worker.Applied, error) {
	b.T.Helper()
	s := b.OpenWith(store.Options{URL: address, Owner: "other"})
	return s.Apply(b.T.Context(), b.Transaction(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)))
}

func TestSession_rowSecurityIsAnOutageAndNoEmptyTable(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	login := b.Login("allocation_worker")
	for name, address := range map[string]string{
		"as usual":          login,
		"asked for":         testbed.WithOptions(t, login, "row_security", "on"),
		"asked for as -c":   testbed.WithOptions(t, login, "options", "-c row_security=on"),
		"set for the login": login,
	} {
		if name == "set for the login" {
			b.set(login, "row_security = on")
		}
		for _, table := range []string{"products", "batches", "lines", "held_keys", "positions"} {
			b.Exec("alter table " + table + " enable row level security")
			_, err := b.reads(address)
			require.ErrorIs(t, err, worker.ErrOutage, "%s: %s", name, table)
			require.ErrorContains(t, err, `row-level security policy for table "`+table+`"`, name)
			b.Exec("alter table " + table + " disable row level security")
		}
	}
	applied, err := b.reads(login)
	require.NoError(t, err)
	require.Equal(t, []string{`2 Allocated {"orderid":"o1","sku":"CHAIR","qty":1,"batchref":"b1"}`}, says(applied.Rows[0]))
}

// A policy that is forced counts for the owner of the tables, too.
func TestSession_forcedRowSecurityIsAnOutageForTheOwner(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	login := b.Login("allocation_worker")
	u, err := url.Parse(login)
	require.NoError(t, err)
	owner := u.User.Username()
	b.Exec("alter table products owner to " + owner)
	t.Cleanup(func() { // before the login is dropped
		conn, err := pgx.Connect(context.Background(), b.URL)
		require.NoError(t, err)
		defer conn.Close(context.Background())
		_, err = conn.Exec(context.Background(), "reassign owned by "+owner+" to current_user")
		require.NoError(t, err)
	})
	b.Exec("alter table products enable row level security, force row level security")
	_, err = b.reads(login)
	require.ErrorIs(t, err, worker.ErrOutage)
	require.ErrorContains(t, err, `row-level security policy for table "products"`)
}

func TestSession_anotherSearchPathFindsNoOtherTables(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	b.Exec("create schema other; create table other.products (like products); create view other.batches as select * from allocation.batches where false; grant usage on schema other to public; grant all on all tables in schema other to public")
	login := b.Login("allocation_worker")
	b.set(login, "search_path = other, allocation")
	applied, err := b.reads(testbed.WithOptions(t, login, "search_path", "other,allocation"))
	require.NoError(t, err)
	require.Equal(t, []string{`2 Allocated {"orderid":"o1","sku":"CHAIR","qty":1,"batchref":"b1"}`}, says(applied.Rows[0]))
}

// A product that begins to be held while a worker's transaction waits for its lock is noticed,
// whatever isolation is set for the worker.
func TestSession_noCommandSlipsPastAHeldProductUnderAnotherIsolation(t *testing.T) {
	for name, ask := range map[string]func(b *bench, login string) string{
		"set for the database": func(b *bench, login string) string {
			b.Exec(`do $$ begin execute format('alter database %I set default_transaction_isolation = %L', current_database(), 'repeatable read'); end $$`)
			return login
		},
		"asked for": func(b *bench, login string) string {
			return testbed.WithOptions(b.T, login, "default_transaction_isolation", "repeatable read")
		},
		"asked for as -c": func(b *bench, login string) string {
			return testbed.WithOptions(b.T, login, "options", `-c default_transaction_isolation=repeatable\ read`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 1)
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":25}`), command(0, "Nope", `{"sku":"CHAIR"}`))
			holder := b.Connect()
			_, err := holder.Exec(t.Context(), `begin; select from products where sku = 'CHAIR' for no key update;
				insert into held_keys (key, source, row_no) select 'CHAIR', source, row_no from dead_letters`)
			require.NoError(t, err)

			ended := make(chan error, 1)
			address := ask(b, b.Login("allocation_worker"))
			go func() {
				_, err := b.reads(address)
				ended <- err
			}()
			testbed.Eventually(t, b.WaitsForLock, "the worker waits for the product")
			_, err = holder.Exec(t.Context(), `commit`)
			require.NoError(t, err)
			require.ErrorIs(t, <-ended, worker.ErrConflict)
		})
	}
}

// What is set for a worker's role changes neither dates, nor texts, nor what an error means.
func TestSession_readsTheSameWhateverIsSetForItsRole(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b\u2603","sku":"CHAIR","qty":25,"eta":"2030-01-02"}`))
	login := b.Login("allocation_worker")
	for _, setting := range []string{
		"datestyle = 'German'", "client_encoding = 'LATIN1'", "standard_conforming_strings = off", "exit_on_error = on", "plan_cache_mode = force_custom_plan",
		"default_transaction_isolation = serializable", "default_transaction_deferrable = on", "bytea_output = escape", "extra_float_digits = -15",
		"intervalstyle = sql_standard",
	} {
		b.set(login, setting)
	}
	s := b.OpenWith(store.Options{URL: login, Owner: "other"})
	transaction := b.Transaction(command(0, "ChangeBatchEta", `{"batchref":"b\u2603","eta":"2030-01-02"}`))
	applied, err := s.Apply(t.Context(), transaction)
	require.NoError(t, err)
	require.Equal(t, []string{"no_effect"}, results(applied))

	_, err = s.Apply(t.Context(), transaction)
	var fenced *worker.FencedError
	require.ErrorAs(t, err, &fenced, "an error of a statement does not end the session")
}

// What only an administrator can set, and what takes away what promises rest on, is an outage that
// names it.
func TestSession_settingsThatPromisesDoNotSurviveAreOutages(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":25}`))
	for _, setting := range []string{"session_replication_role = replica", "zero_damaged_pages = on", "ignore_checksum_failure = on"} {
		login := b.Login("allocation_worker")
		b.set(login, setting)
		_, err := b.reads(login)
		require.ErrorIs(t, err, worker.ErrOutage)
		require.ErrorContains(t, err, "the setting "+strings.Fields(setting)[0])
	}
}
