package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
)

// kept are the transactions of a source, oldest first: offsets, rows, epoch, replays.
func kept(b *storetest.Bench) []string {
	return storetest.Ask[[]string](b, `select coalesce(array_agg(format('%s-%s rows %s-%s epoch %s replays %s', from_offset, to_offset, from_row, to_row, epoch, replays)
		order by epoch, from_offset, from_row), '{}') from transactions`)
}

func TestTransactions_areKept(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "first", 5), add(0, "a", 1))
	b.Do(add(0, "a", 0))  // no effect
	b.Do(add(0, "a", -9)) // refused, with an event
	b.Claims = b.ClaimFor(b.Open("another"), 1)
	_, err := b.SavePublished(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"0-2 rows 0-2 epoch 1 replays 0", "2-3 rows 2-2 epoch 1 replays 0", "3-4 rows 2-4 epoch 1 replays 0"}, kept(b))
	require.Equal(t, 4, storetest.Ask[int](b, `select count(*) from transactions where committed_at between now() - interval '1 minute' and now()`)+1)
	require.Equal(t, []string{"1 test", "2 another"},
		storetest.Ask[[]string](b, `select array_agg(epoch || ' ' || owner order by epoch) from claims`))
}

// A transaction that is fenced leaves no trace, and a decision of an operator is no transaction.
func TestTransactions_ofDecisionsAreNone(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "first", 5))
	b.Exec(`select decide_position(source, null, topic_id, 0, 'reset', 'a test') from positions`)
	_, err := b.Apply(t.Context(), b.Transaction(add(0, "a", 1)))
	require.Error(t, err)
	require.Equal(t, []string{"0-1 rows 0-1 epoch 1 replays 0"}, kept(b))
	require.Equal(t, 1, storetest.Ask[int](b, `select count(*) from claims`))
}

// The day of a table that is dropped takes its transactions along, and claims that were over.
func TestTransactions_areDroppedWithTheirDay(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "first", 5))
	oldDays(b)
	b.Exec(`
		create table transactions_20200101 (like transactions including all);
		alter table transactions attach partition transactions_20200101 for values from ('2020-01-01') to ('2020-01-02');
		update transactions set day = '2020-01-01';
		insert into claims values (1, -2, 'first', '2019-12-30'), (1, -1, 'second', '2019-12-31')`)
	_, err := b.DropDays(t.Context(), week)
	require.NoError(t, err)
	require.Empty(t, kept(b))
	require.Equal(t, []string{"second"}, storetest.Ask[[]string](b, `select array_agg(owner) from claims where epoch < 0`), "it held the partition that day")
}

func TestApply_keepsWhatPeopleAskFor(t *testing.T) {
	b := setup(t, 2)
	b.Do(create(0, "a", "first", 5), create(0, "b", "second", 5), add(0, "a", 1))
	b.Do(add(1, "a", 1))
	b.Do(add(1, "a", 1))
	require.Equal(t, []string{"1 0 -", "1 1 -", "1 2 2", "2 0 -", "2 1 1"},
		storetest.Ask[[]string](b, `select array_agg(format('%s %s %s', source, row_no, coalesce(key_back::text, '-')) order by source, row_no) from outbox`),
		"how many rows before it the key's last event is")
	require.Equal(t, []string{`{"name":"first"}`, `{"name":"second"}`},
		storetest.Ask[[]string](b, `select array_agg(note order by row_no) from outbox where note is not null`))
	b.Do(refill(0, "a", "screws", 1))
	require.Equal(t, "2 1", storetest.Ask[string](b, `select also_source || ' ' || also_row from outbox where also_day is not null`))
}

// Commands of days that are over are found by their id; nobody makes an index twice.
func TestIndexDays(t *testing.T) {
	b := setup(t, 1)
	oldDays(b)
	b.Do(add(0, "a", 1))
	indexed, err := b.IndexDays(t.Context())
	require.NoError(t, err)
	require.Subset(t, indexed, []string{"outbox_20200102", "outbox_20200101"})
	require.LessOrEqual(t, len(indexed), 3, "those, and yesterday's")
	again, err := b.IndexDays(t.Context())
	require.NoError(t, err)
	require.Empty(t, again)
	require.Equal(t, 2, storetest.Ask[int](b, `select count(*) from pg_indexes where tablename = 'outbox_20200101' and indexname ~ '_by_(id|correlation)$'`))
	dropped, err := b.DropDays(t.Context(), week)
	require.NoError(t, err)
	require.Len(t, dropped, 2)
}
