package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

func TestApply_decidesInOrderAndKeepsWhatItHandsOver(t *testing.T) {
	b := setup(t, 1)
	applied := b.Do(create(0, "a", "first", 5), add(0, "a", -7), addTo(0, "first", -5), add(0, "b", 1), create(0, "b", "first", 1), create(0, "a", "first", 5))
	require.Equal(t, []string{
		`1 Made {"key":"a","value":5}`,
		`refused below_zero`, `0 Rejected {"key":"a","reason":"below_zero"}`,
		`2 Added {"key":"a","value":0}`,
		`refused unknown_key`, `0 Rejected {"key":"b","reason":"unknown_key"}`,
		`refused name_taken`,
	}, says(applied.Rows[0]))
	require.Equal(t, []string{"changed", "refused", "changed", "refused", "refused", "no_effect"}, results(applied))
	rows, err := b.Rows(t.Context(), b.Claims[0].Source, 0, b.NextRow[0])
	require.NoError(t, err)
	require.Equal(t, applied.Rows[0], rows, "what is drained must be what was handed over")
}

func TestApply_keepsDeadLettersByteForByte(t *testing.T) {
	b := setup(t, 1)
	strange := worker.Command{
		Refusal: &worker.Refusal{Reason: "malformed", Message: "it is"},
		Cause:   &outbox.Cause{Time: outbox.NoTime},
		Key:     nil,
		Value:   []byte("\x00\xff\xfe{"),
		Headers: []outbox.Header{{Key: "", Value: nil}, {Key: "\xff\x00", Value: []byte{}}, {Key: "a", Value: []byte("\x00")}, {Key: "a", Value: []byte("b")}},
	}
	empty := worker.Command{Refusal: strange.Refusal, Cause: strange.Cause, Key: []byte{}, Value: nil}
	applied := b.Do(strange, empty)
	rows, err := b.Rows(t.Context(), b.Claims[0].Source, 0, 2)
	require.NoError(t, err)
	require.Equal(t, applied.Rows[0], rows)
}

func TestApply_linksEachEventToTheOneBefore(t *testing.T) {
	b := setup(t, 2)
	b.Do(create(0, "a", "first", 9))
	applied := b.Do(add(1, "a", 1), add(1, "a", 1))
	require.Equal(t, outbox.Predecessor{Source: b.Claims[0].Source.ID, Row: 0}, applied.Rows[1][0].After, "it came by the other partition")
	require.Zero(t, applied.Rows[1][1].After, "the one before is of the same partition")
	applied = b.Do(add(0, "a", 1))
	require.Equal(t, outbox.Predecessor{Source: b.Claims[1].Source.ID, Row: 1}, applied.Rows[0][0].After)

	read := func() (last store.Ref) {
		source, row, day := last.Scan()
		require.NoError(t, b.DB.QueryRow(t.Context(), `select last_source, last_row, last_day from counters where key = 'a'`).Scan(source, row, day))
		return last
	}
	history, cut, err := b.History(t.Context(), read())
	require.NoError(t, err)
	require.False(t, cut)
	require.Len(t, history, 4)
	for i, e := range history {
		require.EqualValues(t, i+1, e.Sequence)
	}
	b.Exec(`delete from outbox where sequence = 2`)
	history, cut, err = b.History(t.Context(), read())
	require.NoError(t, err)
	require.True(t, cut)
	require.Len(t, history, 2)
}

func TestApply_isFenced(t *testing.T) {
	t.Run("when another worker claimed the partition", func(t *testing.T) {
		b := setup(t, 2)
		b.ClaimFor(b.Open("another"), 1)
		_, err := b.Apply(t.Context(), b.Transaction(create(0, "a", "first", 1)))
		var fenced *worker.FencedError
		require.ErrorAs(t, err, &fenced)
		require.Equal(t, []int32{b.Claims[0].Source.ID}, fenced.Sources, "the other partition is still held")
		require.Zero(t, b.Count(`select count(*) from counters`), "nothing of a fenced transaction may survive")
	})
	t.Run("when the position is not where the worker left it", func(t *testing.T) {
		b := setup(t, 1)
		transaction := b.Transaction(create(0, "a", "first", 1))
		b.Do(add(0, "a", 1)) // refused, but it moves the position
		_, err := b.Apply(t.Context(), transaction)
		var fenced *worker.FencedError
		require.ErrorAs(t, err, &fenced)
		require.Zero(t, b.Count(`select count(*) from counters`))
	})
}

// A transaction that locks first and fails leaves no transaction behind.
func TestApply_lockedFirstAndRefused(t *testing.T) {
	b := setup(t, 1)
	transaction := b.Transaction(create(0, "a", "first", 1))
	transaction.LockFirst, transaction.Moves[0].From = true, 7
	_, err := b.Apply(t.Context(), transaction)
	var fenced *worker.FencedError
	require.ErrorAs(t, err, &fenced)
	b.Do(create(0, "a", "first", 1))
}

// A key that begins to be held between the load and the write.
func TestApply_conflictsWithAKeyThatBeginsToBeHeld(t *testing.T) {
	b := setup(t, 2)
	b.Do(create(0, "a", "first", 5))
	transaction := onlyPartition(b.Transaction(add(0, "a", 1)), 0)
	s := b.Interrupted(func() {
		_, err := b.Apply(t.Context(), onlyPartition(b.Transaction(fail(add(1, "a", 5))), 1))
		require.NoError(t, err)
	})
	_, err := s.Apply(t.Context(), transaction)
	require.ErrorIs(t, err, worker.ErrConflict)
	applied, err := s.Apply(t.Context(), transaction)
	require.NoError(t, err)
	require.Equal(t, []string{"held"}, results(applied))
}

// A key that another applier freed is remembered as held once more: what would wait for it finds
// that out.
func TestApply_noticesAKeyThatIsHeldNoLonger(t *testing.T) {
	b := setup(t, 1)
	failed := b.Do(fail(create(0, "a", "first", 5)))
	b.DecideLetter(0, failed.Rows[0][0].Number, "discarding")
	transaction := b.Transaction(create(0, "a", "second", 5))
	b.Exec(`delete from held_keys`)
	_, err := b.Apply(t.Context(), transaction)
	require.ErrorIs(t, err, worker.ErrConflict)
	applied, err := b.Apply(t.Context(), transaction)
	require.NoError(t, err)
	require.Equal(t, []string{"changed"}, results(applied))
}

// What was read is not relied on once the server was started again, perhaps with an older database.
func TestApply_forgetsWhatAnotherServerTold(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "first", 5))
	store.StartedBefore(b.Store)
	transaction := b.Transaction(add(0, "a", 1))
	_, err := b.Apply(t.Context(), transaction)
	require.ErrorIs(t, err, worker.ErrConflict)
	_, err = b.Apply(t.Context(), transaction)
	require.NoError(t, err)
}

// An event that is for another service has a record key and a correlation of its own. It counts
// with no others, and yet comes after what happened before under its key.
func TestApply_keepsWhatIsForAnotherService(t *testing.T) {
	b := setup(t, 2)
	b.Do(create(0, "a", "first", 9))
	applied := b.Do(refill(1, "a", "screws", 100))
	row := applied.Rows[1][0]
	require.Equal(t, []any{"Restock", "a", "screws", "refill of a", int64(0)}, []any{row.Type, row.Key, row.RecordKey, row.Cause.CorrelationID, row.Sequence})
	require.Equal(t, outbox.Predecessor{Source: b.Claims[0].Source.ID, Row: 0}, row.After)
	rows, err := b.Rows(t.Context(), b.Claims[1].Source, 0, b.NextRow[1])
	require.NoError(t, err)
	require.Equal(t, applied.Rows[1], rows, "what is drained must be what was handed over")
}
