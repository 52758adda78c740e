package store

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// with is a URL with more options.
func with(t *testing.T, address string, options ...string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	for i := 0; i < len(options); i += 2 {
		q.Set(options[i], options[i+1])
	}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // Postgres' clients know no other space
	return u.String()
}

// reads opens a store of another worker at a URL, and has it decide an order of a product that exists.
func (b *bench) reads(address string) (worker.Applied, error) {
	b.t.Helper()
	s, err := Open(b.t.Context(), Options{URL: address, Owner: "other"})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	other := *b
	other.Store = s
	return s.Apply(b.t.Context(), other.batch(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)))
}

func TestSession_rowSecurityIsAnOutageAndNoEmptyTable(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	login := b.login("allocation_worker")
	for name, address := range map[string]string{
		"as usual":          login,
		"asked for":         with(t, login, "row_security", "on"),
		"asked for as -c":   with(t, login, "options", "-c row_security=on"),
		"set for the login": login,
	} {
		if name == "set for the login" {
			u, err := url.Parse(login)
			require.NoError(t, err)
			b.sudo("alter role " + u.User.Username() + " set row_security = on")
		}
		for _, table := range []string{"products", "batches", "lines", "held_keys", "positions"} {
			b.sudo("alter table " + table + " enable row level security")
			_, err := b.reads(address)
			require.ErrorIs(t, err, worker.ErrOutage, "%s: %s", name, table)
			require.ErrorContains(t, err, `row-level security policy for table "`+table+`"`, name)
			b.sudo("alter table " + table + " disable row level security")
		}
	}
	applied, err := b.reads(login)
	require.NoError(t, err)
	require.Equal(t, []string{`2 Allocated {"orderid":"o1","sku":"CHAIR","qty":1,"batchref":"b1"}`}, says(applied.Rows[0]))
}

// A policy that is forced counts for the owner of the tables, too.
func TestSession_forcedRowSecurityIsAnOutageForTheOwner(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	login := b.login("allocation_worker")
	u, err := url.Parse(login)
	require.NoError(t, err)
	owner := u.User.Username()
	b.sudo("alter table products owner to " + owner)
	t.Cleanup(func() { // before the login is dropped
		conn, err := pgx.Connect(context.Background(), b.url)
		require.NoError(t, err)
		defer conn.Close(context.Background())
		_, err = conn.Exec(context.Background(), "reassign owned by "+owner+" to current_user")
		require.NoError(t, err)
	})
	b.sudo("alter table products enable row level security, force row level security")
	_, err = b.reads(login)
	require.ErrorIs(t, err, worker.ErrOutage)
	require.ErrorContains(t, err, `row-level security policy for table "products"`)
}

func TestSession_anotherSearchPathFindsNoOtherTables(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	b.sudo("create schema other; create table other.products (like products); create view other.batches as select * from public.batches where false; grant usage on schema other to public; grant all on all tables in schema other to public")
	login := b.login("allocation_worker")
	u, err := url.Parse(login)
	require.NoError(t, err)
	b.sudo("alter role " + u.User.Username() + " set search_path = other, public")
	applied, err := b.reads(with(t, login, "search_path", "other,public"))
	require.NoError(t, err)
	require.Equal(t, []string{`2 Allocated {"orderid":"o1","sku":"CHAIR","qty":1,"batchref":"b1"}`}, says(applied.Rows[0]))
}
