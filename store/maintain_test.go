package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/migrations"
	"allocation/store"
	"allocation/worker"
)

const week = 7 * 24 * time.Hour

// oldDays makes two days of long ago.
func oldDays(b *storetest.Bench) {
	b.T.Helper()
	b.Exec(`
		create table outbox_20200101 (like outbox including all);
		create table outbox_20200102 (like outbox including all);
		alter table outbox attach partition outbox_20200101 for values from ('2020-01-01') to ('2020-01-02');
		alter table outbox attach partition outbox_20200102 for values from ('2020-01-02') to ('2020-01-03')`)
}

func TestDropDays_dropsDaysThatAreOldAndPublished(t *testing.T) {
	b := setup(t, 1)
	b.Do(add(0, "none", 1), add(0, "none", 1))
	oldDays(b)
	b.Exec(`update outbox set day = '2020-01-02' where row_no = 1`)

	dropped, err := b.DropDays(t.Context(), week)
	require.NoError(t, err)
	require.Equal(t, []string{"outbox_20200101"}, dropped, "the other day holds a row that is not published")

	_, err = b.SavePublished(t.Context(), []worker.Progress{{Source: b.Claims[0].Source.ID, Token: b.Claims[0].Token, Published: 2}})
	require.NoError(t, err)
	dropped, err = b.DropDays(t.Context(), week)
	require.NoError(t, err)
	require.Equal(t, []string{"outbox_20200102"}, dropped)
}

// A worker whose clock is weeks ahead of the server's would take all days for old ones.
func TestDropDays_keepsTodayWhateverAWorkersClockSays(t *testing.T) {
	b := setup(t, 1)
	oldDays(b)
	before := storetest.Ask[int](b, `select count(*) from outbox_days()`)
	dropped, err := b.DropDays(t.Context(), -30*24*time.Hour)
	require.NoError(t, err)
	require.Equal(t, []string{"outbox_20200101", "outbox_20200102"}, dropped)
	require.Equal(t, before-2, storetest.Ask[int](b, `select count(*) from outbox_days()`), "yesterday and all later days are there")
	require.Nil(t, storetest.Ask[*string](b, `select outbox_drop_day(outbox_today() + 30)`), "nor does a worker of another version drop them")
	b.Do(add(0, "none", 1))
}

func TestDropDays_keepsARowThatIsCommittedWhileItWaits(t *testing.T) {
	b := setup(t, 1)
	oldDays(b)
	writer, err := b.DB.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = writer.Rollback(t.Context()) }()
	_, err = writer.Exec(t.Context(), `insert into outbox (source, row_no, day, command_offset, event_no, type, key, subject, value)
		values ($1, 0, '2020-01-01', 0, 0, '', '', '', '')`, b.Claims[0].Source.ID)
	require.NoError(t, err)
	_, err = writer.Exec(t.Context(), `update positions set next_offset = 1, next_row = 1`)
	require.NoError(t, err)

	ended := make(chan error, 1)
	go func() {
		drop := func() error {
			_, err := b.DB.Exec(t.Context(), `select outbox_drop_day('2020-01-02')`)
			return err
		}
		err := drop()
		for store.IsLocked(err) { // each time it waits for 200 ms
			err = drop()
		}
		ended <- err
	}()
	testbed.Eventually(t, func() bool {
		return storetest.Ask[bool](b, `select exists (select from pg_locks where not granted and mode = 'AccessExclusiveLock'
			and database = (select oid from pg_database where datname = current_database()))`)
	})
	require.NoError(t, writer.Commit(t.Context()))
	require.NoError(t, <-ended)
	require.Equal(t, 1, storetest.Ask[int](b, `select count(*) from outbox`), "what is not published is there")
	dropped, err := b.DropDays(t.Context(), week)
	require.NoError(t, err)
	require.Equal(t, []string{"outbox_20200102"}, dropped)
}

func TestDropDays_triesAgainWhereADayIsLocked(t *testing.T) {
	b := setup(t, 1)
	oldDays(b)
	reader, err := b.DB.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = reader.Rollback(t.Context()) }()
	_, err = reader.Exec(t.Context(), `select from outbox_20200101`)
	require.NoError(t, err)

	ended := make(chan []string, 1)
	go func() {
		dropped, err := b.DropDays(t.Context(), week)
		assert.NoError(t, err)
		ended <- dropped
	}()
	waits := `select exists (select from pg_locks where not granted and relation = 'outbox_20200101'::regclass
		and database = (select oid from pg_database where datname = current_database()))`
	testbed.Eventually(t, func() bool { return storetest.Ask[bool](b, waits) })
	testbed.Eventually(t, func() bool { return !storetest.Ask[bool](b, waits) }, "its attempt is over")
	require.NoError(t, reader.Commit(t.Context()))
	require.Equal(t, []string{"outbox_20200101", "outbox_20200102"}, <-ended)
}

func TestDropDays_refusesATransactionThatDoesNotSeeWhatOthersCommit(t *testing.T) {
	b := setup(t, 0)
	_, err := b.DB.Exec(t.Context(), `begin isolation level repeatable read; select outbox_drop_day('2020-01-02'); commit`)
	require.ErrorContains(t, err, "outbox_drop_day needs read committed")
}

func TestApply_asksForADayThatIsMissing(t *testing.T) {
	b := setup(t, 1)
	today := storetest.Ask[time.Time](b, `select outbox_today()`)
	table := "outbox_" + today.Format("20060102")
	for missing, how := range map[string]string{
		"dropped":           "drop table " + table,
		"detached":          "alter table outbox detach partition " + table,
		"half way detached": "update pg_inherits set inhdetachpending = true where inhrelid = '" + table + "'::regclass",
	} {
		b.Exec(how)
		b.Store = b.Open("test") // no session knows of the table
		days, err := b.OutboxDaysAhead(t.Context())
		require.NoError(t, err)
		require.Equal(t, -1, days, missing)
		_, err = b.Apply(t.Context(), b.Transaction(add(0, "none", 1)))
		require.ErrorIs(t, err, worker.ErrOutage)
		require.ErrorContains(t, err, "the outbox has no table for "+today.Format(time.DateOnly))
		<-b.LacksDay()
		require.NoError(t, b.MakeDays(t.Context()), missing)
		b.Do(add(0, "none", 1))
	}
}

func TestOutboxDaysAhead_countsFromTodayUpToTheFirstGap(t *testing.T) {
	b := setup(t, 1)
	days, err := b.OutboxDaysAhead(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.DaysAhead, days)
	b.Exec(`do $$ begin execute 'drop table outbox_' || to_char(outbox_today() + 3, 'YYYYMMDD'); end $$`)
	days, err = b.OutboxDaysAhead(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, days)
}

func TestCheckCluster_refusesAnother(t *testing.T) {
	b := setup(t, 0)
	require.NoError(t, b.CheckCluster(t.Context(), "refused", "group"), "it belongs to nobody yet")
	for range 2 {
		require.NoError(t, b.RememberCluster(t.Context(), "cluster", "group"))
	}
	require.NoError(t, b.CheckCluster(t.Context(), "cluster", "group"))
	var other *store.ClusterError
	require.ErrorAs(t, b.CheckCluster(t.Context(), "cluster", "another"), &other)
	require.ErrorAs(t, b.CheckCluster(t.Context(), "another", "group"), &other)
	require.ErrorAs(t, b.RememberCluster(t.Context(), "another", "group"), &other)
	require.ErrorContains(t, other, "cluster and group group")
}

func TestCheckSchema_namesTheCommand(t *testing.T) {
	b := setup(t, 0)
	require.NoError(t, b.CheckSchema(t.Context()))
	db := stdlib.OpenDBFromPool(b.DB)
	defer db.Close()
	_, err := migrations.Down(t.Context(), db, migrations.DefaultSchema, migrations.LinesOf(&migrations.Products), migrations.Version{1, 0})
	require.NoError(t, err)
	require.ErrorContains(t, b.CheckSchema(t.Context()), "at engine 1 and this program needs")
	_, err = migrations.Down(t.Context(), db, migrations.DefaultSchema, migrations.LinesOf(&migrations.Products), migrations.Version{})
	require.NoError(t, err)
	require.ErrorContains(t, b.CheckSchema(t.Context()), "at engine 0 (looked for in the schema allocation of the database")
	b.Exec("drop schema allocation cascade")
	require.ErrorContains(t, b.CheckSchema(t.Context()), "at engine 0 ")
}
