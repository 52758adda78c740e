package store_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // for the migrations
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/storetest"
	"allocation/migrations"
	"allocation/store"
)

// second makes another service of the same kind in the bench's database.
func second(b *storetest.Bench) (*storetest.Bench, migrations.Schema) {
	b.T.Helper()
	schema := migrations.Schema("second_" + uuid.NewString()[:8])
	db, err := sql.Open("pgx", b.URL)
	require.NoError(b.T, err)
	defer db.Close()
	_, err = migrations.Up(b.T.Context(), db, migrations.Options{Schema: schema, Lines: migrations.LinesOf(&migrations.Products)})
	require.NoError(b.T, err)
	b.T.Cleanup(func() {
		for _, role := range schema.DefaultRoles().Names() { // they are the server's
			_, err := b.DB.Exec(context.Background(), "drop owned by "+role+"; drop role "+role)
			require.NoError(b.T, err)
		}
	})
	b.Exec(schema.SetPath() + "; " + counters.Tables + "; grant select, insert, update on counters, counter_names to " + schema.DefaultRoles().Worker + "; reset search_path")
	other := b.Other(b.OpenWith(store.Options{URL: b.Login(schema.DefaultRoles().Worker), Owner: "second", Schema: schema}))
	other.Claims = other.ClaimFor(other.Store, len(b.Claims))
	return other, schema
}

func TestSchema_twoServicesShareADatabase(t *testing.T) {
	b := setup(t, 1)
	b.Exec(`do $$ begin execute format('alter database %I set search_path = public', current_database()); end $$`)
	other, schema := second(b)
	require.NoError(t, other.CheckSchema(t.Context()))
	require.NoError(t, other.CheckRights(t.Context()))
	b.Do(create(0, "a", "one", 1))
	require.Equal(t, []string{`1 Made {"key":"a","value":5}`}, says(other.Do(create(0, "a", "one", 5)).Rows[0]))
	for s, value := range map[string]int{"allocation": 1, string(schema): 5} {
		require.Equal(t, value, b.Count("select value from "+s+".counters"))
	}

	require.NoError(t, other.MakeDays(t.Context()), "by a function that acts for the owner")
	require.Equal(t, 2, b.Count(`select count(*) from pg_class where relname = 'outbox_' || to_char(now() at time zone 'utc', 'YYYYMMDD')`))
	b.Exec("select * from " + string(schema) + ".decide_position(1, null, null, null, 'reset', 'a test')")
	require.Equal(t, 1, b.Count("select count(*) from allocation.positions where retired_at is null"), "the other's")
	require.Zero(t, b.Count("select count(*) from "+string(schema)+".positions where retired_at is null"))
}

func TestSchema_twoServicesDoNotHearOneAnother(t *testing.T) {
	b := setup(t, 1)
	other, _ := second(b)
	heard, listening := make(chan string, 9), make(chan struct{}, 2)
	for name, s := range map[string]*store.Store{"first": b.Store, "second": other.Store} {
		go func() {
			_ = s.Listen(t.Context(), func([]int32) { heard <- name }, func() { heard <- name }, func() { listening <- struct{}{} })
		}()
	}
	for range 2 {
		<-listening
	}
	require.NoError(t, other.Nudge(t.Context(), []int32{1}))
	require.Equal(t, "second", <-heard)
	require.NoError(t, b.Nudge(t.Context(), []int32{1}))
	require.Equal(t, "first", <-heard)
	select {
	case name := <-heard:
		t.Fatal("heard what is not its own: ", name)
	case <-time.After(100 * time.Millisecond):
	}
}

// As where each worker's container begins with it.
func TestSchema_severalMakeItAtTheSameTime(t *testing.T) {
	t.Parallel()
	url := testbed.Database(t)
	failed := make(chan error)
	const several = 3
	for range several {
		go func() {
			db, err := sql.Open("pgx", url)
			if err == nil {
				_, err = migrations.Up(t.Context(), db, migrations.Options{Lines: migrations.LinesOf(&migrations.Products)})
				err = errors.Join(err, db.Close())
			}
			failed <- err
		}()
	}
	for range several {
		require.NoError(t, <-failed)
	}
	require.NoError(t, storetest.At(t, url, counters.Service).AsWorker().CheckRights(t.Context()))
}
