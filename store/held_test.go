package store_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

func TestApply_holdsTheKeyOfACommandThatFailed(t *testing.T) {
	b := setup(t, 2)
	b.Do(create(0, "CHAIR", "b1", 10), create(0, "TABLE", "b2", 10))
	failed := b.Do(fail(add(0, "CHAIR", -3)))
	require.Equal(t, []string{"refused internal"}, says(failed.Rows[0]))

	later := b.Do(
		add(0, "CHAIR", -3),
		add(0, "TABLE", -3),
		addTo(1, "b1", 5), // its key is found by its name
		create(1, "CHAIR", "b3", 1),
		addTo(1, "b3", 1), // there is no such name yet
	)
	require.Equal(t, []string{"held", "changed", "held", "held", "held"}, results(later))
	again := b.Do(addTo(1, "b3", 1))
	require.Equal(t, []string{"held"}, results(again), "it is known from the table that b3 will be made")

	backlogs, err := b.Backlogs(t.Context(), []int32{b.Claims[0].Source.ID, b.Claims[1].Source.ID})
	require.NoError(t, err)
	require.Equal(t, map[int32]worker.Backlog{b.Claims[0].Source.ID: {Held: 1}}, backlogs)
	batch, _ := b.Redrive(0, 10)
	require.True(t, batch.Empty(), "nobody decided yet")

	b.DecideLetter(0, failed.Rows[0][0].Number, "retrying")
	retried := b.DoRedrive(0, 10)
	require.Equal(t, []string{"changed"}, results(retried))
	require.Equal(t, outbox.Retried, retried.Rows[0][0].DeadLetter.Decision)
	require.Equal(t, `2 Added {"key":"CHAIR","value":7}`, says(retried.Rows[0])[1])
	require.Zero(t, retried.Rows[0][1].Event, "it is numbered as if it had not failed")

	require.Equal(t, []string{"held"}, results(b.Do(add(0, "CHAIR", -1))), "others still wait before it")
	first := b.DoRedrive(0, 2)
	require.Equal(t, []string{"changed", "changed"}, results(first))
	require.Equal(t, b.Claims[1].Source.ID, first.Rows[0][len(first.Rows[0])-1].From.ID, "it came by the other partition")
	rest := b.DoRedrive(0, 10)
	require.Equal(t, []string{"changed", "changed", "changed", "changed"}, results(rest))
	require.Equal(t, []string{"changed"}, results(b.Do(add(1, "CHAIR", -1))), "it is free")

	from := failed.Rows[0][0].Number
	want := append(append(append(append(append([]outbox.Row{}, failed.Rows[0]...), later.Rows[0]...), retried.Rows[0]...), first.Rows[0]...), rest.Rows[0]...)
	rows, err := b.Rows(t.Context(), b.Claims[0].Source, from, from+int64(len(want)))
	require.NoError(t, err)
	require.Equal(t, want, rows, "what is read from the table is what was handed over")
}

// What begins to wait while a key is freed would wait for ever.
func TestApply_doesNotFreeAKeyForWhichSomethingBeganToWait(t *testing.T) {
	b := setup(t, 2)
	failed := b.Do(fail(create(0, "CHAIR", "b1", 10)))
	b.DecideLetter(0, failed.Rows[0][0].Number, "retrying")
	b.DoRedrive(0, 10)
	_, free := b.Redrive(0, 10)
	require.Equal(t, []string{"CHAIR"}, free.Free)
	b.Do(add(1, "CHAIR", -3))
	_, err := b.Apply(t.Context(), free)
	require.ErrorIs(t, err, worker.ErrConflict)
	require.Equal(t, []string{"changed"}, results(b.DoRedrive(0, 10)))
}

func TestApply_numbersTheEventsOfARetryAfterThoseOfTheRefusal(t *testing.T) {
	b := setup(t, 1)
	refused := b.Do(add(0, "CHAIR", -3))
	require.Equal(t, []string{"refused"}, results(refused))
	b.DecideLetter(0, 0, "retrying")
	again := b.DoRedrive(0, 10)
	require.Equal(t, []string{"refused"}, results(again))
	require.Equal(t, int32(1), again.Rows[0][2].Event)
	b.Do(create(0, "CHAIR", "b1", 10))
	b.DecideLetter(0, again.Rows[0][1].Number, "retrying")
	last := b.DoRedrive(0, 10)
	require.Equal(t, []string{"changed"}, results(last))
	require.Equal(t, int32(2), last.Rows[0][1].Event)
	states := storetest.Ask[[]string](b, `select array_agg(state || ' ' || retries || ' ' || first_event order by row_no) from dead_letters`)
	require.Equal(t, []string{"retried 0 3", "retried 1 3"}, states)
}

func TestApply_aCommandThatFailsWhereItWaitedHoldsItsKeyAgain(t *testing.T) {
	b := setup(t, 2)
	failed := b.Do(fail(create(0, "CHAIR", "b1", 10)))
	b.Do(add(1, "CHAIR", -3), add(1, "CHAIR", -3))
	b.DecideLetter(0, failed.Rows[0][0].Number, "retrying")
	b.DoRedrive(0, 10)
	_, transaction := b.Redrive(0, 1)
	transaction.Commands[0] = fail(transaction.Commands[0])
	applied, err := b.Apply(t.Context(), transaction)
	require.NoError(t, err)
	b.NextRow[0] += int64(len(applied.Rows[0]))
	require.Equal(t, b.Claims[1].Source.ID, applied.Rows[0][0].From.ID)
	batch, _ := b.Redrive(0, 1)
	require.True(t, batch.Empty())
	b.DecideLetter(0, applied.Rows[0][0].Number, "discarding")
	discarded := b.DoRedrive(0, 10)
	require.Equal(t, []string{"discarded"}, results(discarded))
	require.Len(t, discarded.Rows[0], 1)
	require.Equal(t, outbox.Discarded, discarded.Rows[0][0].DeadLetter.Decision)
	require.Equal(t, []string{`2 Added {"key":"CHAIR","value":7}`}, says(b.DoRedrive(0, 10).Rows[0]))
}

func TestApply_aCommandThatCannotBeReadHoldsNothing(t *testing.T) {
	b := setup(t, 1)
	b.Do(fail(storetest.Command(0, "Add", `{`)), fail(addTo(0, "none", 1)))
	require.Zero(t, b.Count(`select count(*) from held_keys`))
}

func TestBeginProbe_countsProbesThatNeverEnded(t *testing.T) {
	b := setup(t, 1)
	move := b.Transaction().Moves[0]
	begin := func(end int64, reset bool) worker.Probe {
		t.Helper()
		probe, err := b.BeginProbe(t.Context(), move, end, reset)
		require.NoError(t, err)
		return probe
	}
	require.Equal(t, worker.Probe{Crashes: 0, LargestEnd: 0}, begin(8, false))
	require.Equal(t, worker.Probe{Crashes: 0, LargestEnd: 8}, begin(1, false))
	require.Equal(t, worker.Probe{Crashes: 1, LargestEnd: 1}, begin(1, false))
	require.Equal(t, worker.Probe{Crashes: 2, LargestEnd: 1}, begin(1, false))
	require.Equal(t, worker.Probe{Crashes: 0, LargestEnd: 0}, begin(1, true))
	move.From = 1
	require.Equal(t, worker.Probe{Crashes: 0, LargestEnd: 0}, begin(2, false))
	move.Token = worker.Token{}
	var fenced *worker.FencedError
	_, err := b.BeginProbe(t.Context(), move, 2, false)
	require.ErrorAs(t, err, &fenced)
}

// Retried behind a held key, replayed, and retried once more: no two events of the command have
// one number, and so none has another's ce_id.
func TestApply_numbersTheEventsOfACommandOnceHoweverItIsAppliedAgain(t *testing.T) {
	b := setup(t, 1)
	numbers := map[int32]bool{}
	once := func(applied worker.Applied) {
		t.Helper()
		for _, r := range applied.Rows[0] {
			if r.Offset == 0 && r.DeadLetter == nil {
				require.False(t, numbers[r.Event], "two events have the number %d", r.Event)
				numbers[r.Event] = true
			}
		}
	}
	change := func() worker.Command {
		return add(0, "CHAIR", -7)
	}
	refused := b.Do(change())
	require.Equal(t, []string{"refused"}, results(refused))
	b.Do(create(0, "CHAIR", "b1", 50))
	failed := b.Do(fail(add(0, "CHAIR", -1)))
	for range 2 { // it waits twice
		b.DecideLetter(0, refused.Rows[0][0].Number, "retrying")
		require.Equal(t, []string{"held"}, results(b.DoRedrive(0, 10)))
	}
	b.DecideLetter(0, failed.Rows[0][0].Number, "discarding")
	b.DoRedrive(0, 10)
	applied := b.DoRedrive(0, 1)
	require.Equal(t, []string{"changed"}, results(applied))
	once(applied)
	// The copy that still waits.
	applied = b.DoRedrive(0, 10)
	require.Equal(t, []string{"changed"}, results(applied))
	once(applied)

	id, now := b.Claims[0].Source.ID, b.Offsets[0]
	_, err := b.DecideOffsets(t.Context(), []store.OffsetDecision{{Action: "reset", Source: id, TopicID: b.Claims[0].Source.TopicID, Resume: new(int64), Why: "test"}})
	require.NoError(t, err)
	b.Claims = b.ClaimFor(b.Store, 1)
	b.Offsets[0] = 0
	transaction := b.Transaction(change())
	transaction.Moves[0].Replay = b.Claims[0].Replay
	applied, err = b.Apply(t.Context(), transaction)
	require.NoError(t, err)
	b.Committed(transaction, applied)
	require.Equal(t, []string{"changed"}, results(applied))
	require.Equal(t, int32(worker.EventsEach), applied.Rows[0][0].Event, "its second time")
	once(applied)

	b.Offsets[0] = now
	b.Exec(`update positions set next_offset = ` + strconv.FormatInt(now, 10))
	b.DecideLetter(0, refused.Rows[0][0].Number, "retrying")
	applied = b.DoRedrive(0, 10)
	require.Equal(t, []string{"changed"}, results(applied))
	once(applied)
	require.Len(t, numbers, 4)
}
