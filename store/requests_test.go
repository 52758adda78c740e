package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/storetest"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

// once makes a command one that is to be done once.
func once(id string, c worker.Command) worker.Command {
	c.Once, c.Cause.CommandID = true, id
	c.Headers = append(c.Headers, outbox.Header{Key: "ce_id", Value: []byte(id)}, outbox.Header{Key: "ce_once", Value: []byte("true")})
	return c
}

// becameOf says what became of the commands of some ids.
func becameOf(b *storetest.Bench, ids ...string) map[string]string {
	b.T.Helper()
	requests, err := b.Requests(b.T.Context(), ids)
	require.NoError(b.T, err)
	all := map[string]string{}
	for _, r := range requests {
		all[r.ID] = r.Outcome + " " + r.Reason
	}
	return all
}

// A command that is to be done once has no second effect, in the same transaction or later, also
// where it is refused: one dead letter tells of it. Others are done each time.
func TestApply_doesACommandOnce(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "A", 1))
	applied := b.Do(once("1", add(0, "a", 2)), once("1", add(0, "a", 2)), once("2", add(0, "a", -9)), once("3", create(0, "a", "A", 1)), add(0, "a", 5))
	require.Equal(t, []string{"changed", "no_effect", "refused", "no_effect", "changed"}, storetest.Results(applied)[:5])
	applied = b.Do(once("1", add(0, "a", 2)), once("2", add(0, "a", -9)), add(0, "a", 5))
	require.Equal(t, []string{"no_effect", "no_effect", "changed"}, results(applied))
	require.Equal(t, []string{`4 Added {"key":"a","value":13}`}, says(applied.Rows[0]))
	require.Equal(t, map[string]string{"1": "changed ", "2": "refused below_zero", "3": "no_effect "}, becameOf(b, "1", "2", "3", "4"))
	require.Equal(t, 1, b.Count(`select count(*) from dead_letters`))
}

// An id is for one command: another one with it is refused, and what became of the first stays.
func TestApply_refusesAnotherCommandWithTheSameID(t *testing.T) {
	b := setup(t, 1)
	b.Do(once("1", create(0, "a", "A", 1)), once("1", create(0, "a", "A", 2)))
	applied := b.Do(once("1", create(0, "b", "B", 1)), once("1", create(0, "a", "A", 1)))
	require.Equal(t, []string{"refused", "no_effect"}, results(applied))
	require.Equal(t, []string{"refused id_reused"}, says(applied.Rows[0]))
	require.Equal(t, map[string]string{"1": "changed "}, becameOf(b, "1"))
	require.Equal(t, 2, b.Count(`select count(*) from dead_letters where reason = 'id_reused'`))
	_, err := retry(b, 2)
	require.NoError(t, err)
	require.Equal(t, []string{"refused"}, results(b.DoRedrive(0, 10)), "a person cannot have it done either")
	require.Equal(t, map[string]string{"1": "changed "}, becameOf(b, "1"))
	require.Zero(t, b.Count(`select count(*) from counters where key = 'b'`))
}

// Two workers may have the same command at once, where its key's partitions changed: one is first.
func TestApply_doesACommandOnceInTwoWorkers(t *testing.T) {
	b := setup(t, 2)
	b.Do(create(0, "a", "A", 1), create(0, "b", "B", 1))
	second := storetest.OnlyPartition(b.Transaction(once("1", add(1, "b", 2))), 1)
	s := b.Interrupted(func() {
		_, err := b.Apply(t.Context(), storetest.OnlyPartition(b.Transaction(once("1", add(0, "a", 2))), 0))
		require.NoError(t, err)
	})
	_, err := s.Apply(t.Context(), second)
	require.ErrorIs(t, err, worker.ErrConflict)
	applied, err := b.Apply(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, []string{"refused id_reused"}, says(applied.Rows[0]))
}

// What waits behind a failure is known to wait. It comes again without a second effect, and is told
// apart once it was done.
func TestApply_knowsWhatBecameOfParkedCommands(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "A", 1))
	b.Do(once("fails", fail(add(0, "a", 1))))
	b.Do(once("waits", add(0, "a", 2)), once("refused", add(0, "a", -9)))
	b.Do(once("waits", add(0, "a", 2)), once("fails", add(0, "a", 1)))
	require.Equal(t, map[string]string{"fails": "held internal", "waits": "held ", "refused": "held "}, becameOf(b, "fails", "waits", "refused"))
	require.Equal(t, 2, b.Count(`select count(*) from held_commands`))
	requests, err := b.Requests(t.Context(), []string{"waits"})
	require.NoError(t, err)
	require.Equal(t, "a", requests[0].Key)

	_, err = retry(b, 1)
	require.NoError(t, err)
	b.DoRedrive(0, 10)
	b.Exec(`delete from requests where id = 'waits'`) // as if it was too old
	b.DoRedrive(0, 10)
	require.Equal(t, map[string]string{"fails": "changed ", "waits": "changed ", "refused": "refused below_zero"}, becameOf(b, "fails", "waits", "refused"))
}

// A worker that does not know the type keeps the same of a command as the one that does it.
func TestApply_doesACommandOfANewerTypeOnce(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "A", 1))
	typed := func() worker.Command {
		c := storetest.Typed(add(0, "a", 2))
		c.Headers[0].Value = []byte("v2.Add")
		return once("1", newer(c, time.Hour))
	}
	b.Do(typed(), typed())
	require.Equal(t, map[string]string{"1": "held newer_version"}, becameOf(b, "1"))
	b.Service.Later = counters.Later
	b.Store = b.Open("newer")
	require.Equal(t, []string{"changed"}, results(b.DoRedrive(0, 10)))
	again := storetest.Command(0, "v2.Add", "%s", add(0, "a", 2).Data)
	require.Equal(t, []string{"no_effect"}, results(b.Do(once("1", again))))
	require.Equal(t, map[string]string{"1": "changed "}, becameOf(b, "1"))
}

// What is older than anybody sends again is forgotten, unless it still waits.
func TestDropRequests_dropsOldOnes(t *testing.T) {
	b := setup(t, 1)
	b.Do(once("old", create(0, "a", "A", 1)), once("new", create(0, "b", "B", 1)))
	b.Exec(`update requests set decided_at = now() - interval '48 hours 1 second' where id = 'old'`)
	b.Exec(`insert into requests (id, body, outcome, decided_at) select n::text, '', 'changed', now() - interval '3 days' from generate_series(1, 12000) n`)
	dropped, err := b.DropRequests(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 12_001, dropped)
	require.Equal(t, map[string]string{"new": "changed "}, becameOf(b, "old", "new"))

	b.Do(fail(add(0, "a", 1)))
	b.Do(once("waits", add(0, "a", 2)))
	b.Exec(`update requests set decided_at = now() - interval '49 hours'`)
	dropped, err = b.DropRequests(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, dropped)
	require.Equal(t, []string{"no_effect"}, results(b.Do(once("waits", add(0, "a", 2)))), "else it would be done twice")
	require.Equal(t, map[string]string{"waits": "held "}, becameOf(b, "new", "waits"))
}

// Commands that are not to be done once ask and write nothing about it.
func TestApply_asksNothingOfOtherCommands(t *testing.T) {
	b := setup(t, 1)
	b.Exec(`drop table requests`)
	require.Equal(t, []string{"changed"}, results(b.Do(create(0, "a", "A", 1))))
}

func TestBodyHash_tellsTypesAndDataApart(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, store.BodyHash("Add", []byte("x")), store.BodyHash("Ad", []byte("dx")))
	require.NotEqual(t, store.BodyHash("Add", []byte("x")), store.BodyHash("Add", []byte("y")))
}
