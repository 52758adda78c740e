package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

// places are the IDs of letters, as text.
func places(letters []store.Letter) (out []string) {
	for _, l := range letters {
		out = append(out, l.ID.String())
	}
	return out
}

func letters(b *storetest.Bench, f store.LetterFilter, states ...string) []string {
	b.T.Helper()
	list, err := b.Letters(b.T.Context(), f, states, 100)
	require.NoError(b.T, err)
	return places(list.Letters)
}

func retry(b *storetest.Bench, offset int64) (store.Decided, error) {
	return b.Decide(b.T.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, offset}}})
}

func outcomes(b *storetest.Bench, d store.Decided) (results []string) {
	b.T.Helper()
	outcomes, err := b.Outcomes(b.T.Context(), d.Letters)
	require.NoError(b.T, err)
	for _, o := range outcomes {
		results = append(results, o.Result+o.Reason+o.Key)
	}
	return results
}

func TestParseRecordID(t *testing.T) {
	t.Parallel()
	p, err := store.ParseRecordID("warehouse.commands.3.1042")
	require.NoError(t, err)
	require.Equal(t, store.RecordID{"warehouse.commands", 3, 1042}, p)
	require.Equal(t, "warehouse.commands.3.1042", p.String())
	for _, wrong := range []string{"", "1042", "3.1042", ".3.1042", "commands.3", "commands.-3.1", "commands.3.x", "commands.3.1.", "c.99999999999.1"} {
		_, err := store.ParseRecordID(wrong)
		require.ErrorContains(t, err, "<topic>.<partition>.<offset>", wrong)
	}
}

func TestLetters_filters(t *testing.T) {
	b := setup(t, 1)
	b.Do(
		add(0, "CHAIR", 1),
		add(0, "TABLE", 1),
		addTo(0, "none", 1),
		storetest.Command(0, "Add", `{`))
	b.DecideLetter(0, 0, store.LetterDiscarded)
	require.Equal(t, []string{"commands.0.1", "commands.0.2", "commands.0.3"}, letters(b, store.LetterFilter{}, store.LetterOpen))
	require.Equal(t, []string{"commands.0.0"}, letters(b, store.LetterFilter{}, store.LetterDiscarded))
	require.Len(t, letters(b, store.LetterFilter{}, store.LetterStates()...), 4)
	require.Equal(t, []string{"commands.0.1"}, letters(b, store.LetterFilter{Key: "TABLE"}, store.LetterOpen))
	require.Equal(t, []string{"commands.0.2"}, letters(b, store.LetterFilter{Types: []string{"AddTo"}}, store.LetterOpen))
	require.Equal(t, []string{"commands.0.2", "commands.0.3"}, letters(b, store.LetterFilter{Reasons: []string{"unknown_name", "malformed"}}, store.LetterOpen))
	require.Len(t, letters(b, store.LetterFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, store.LetterOpen), 3)
	require.Empty(t, letters(b, store.LetterFilter{Since: time.Now().Add(time.Hour)}, store.LetterOpen))
	require.Empty(t, letters(b, store.LetterFilter{Until: time.Now().Add(-time.Hour)}, store.LetterOpen))

	list, err := b.Letters(t.Context(), store.LetterFilter{}, []string{store.LetterOpen, store.LetterDiscarded}, 3)
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.0", "commands.0.1", "commands.0.2"}, places(list.Letters))
	require.EqualValues(t, 1, list.More)
}

// A list does not read more because many letters were resolved long ago.
func TestLetters_resolvedOnesCostNothing(t *testing.T) {
	b := setup(t, 1)
	b.Do(add(0, "CHAIR", 1))
	b.Exec(`
insert into dead_letters (source, row_no, command_offset, reason, message, headers, state, recorded_at)
select 1, n, n, 'unknown_key', '', '\x00', 'discarded', now() - interval '1 day' from generate_series(1, 50000) n`)
	b.Exec(`analyze dead_letters`)
	f := store.LetterFilter{Key: "CHAIR"}
	rows, err := b.DB.Query(t.Context(), `explain (analyze, buffers, timing off) `+store.ListLettersSQL(store.LetterOpen), store.LetterArgs(f, 100, store.LetterOpen, store.LetterRetrying)...)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	plan := strings.Join(lines, "\n")
	require.Contains(t, plan, "dead_letters_unresolved")
	require.NotContains(t, plan, "Seq Scan on dead_letters")
	require.NotRegexp(t, `Rows Removed by Filter: \d{3}`, plan)
}

func TestLetter_hasEverything(t *testing.T) {
	b := setup(t, 1)
	c := add(0, "CHAIR", 1)
	c.Key = []byte("CHAIR")
	b.Do(c)
	_, err := retry(b, 0)
	require.NoError(t, err)
	b.DoRedrive(0, 10)
	l, err := b.Letter(t.Context(), store.RecordID{"commands", 0, 0})
	require.NoError(t, err)
	require.Equal(t, c.Value, l.Value)
	require.Equal(t, c.Key, l.RecordKey)
	require.Equal(t, []outbox.Header{{Key: "ce_type", Value: []byte("Add")}}, l.Headers)
	require.Equal(t, store.LetterOpen, l.State, "the last one counts")
	require.EqualValues(t, 1, l.Retries)
	require.Len(t, l.Others, 1)
	require.Equal(t, store.LetterRetried, l.Others[0].State)
	_, err = b.Letter(t.Context(), store.RecordID{"commands", 0, 1})
	require.ErrorIs(t, err, store.ErrUnknown)
}

func TestDecide_retriesARefusalFreely(t *testing.T) {
	b := setup(t, 1)
	b.Store = b.AsWorker()
	b.Do(add(0, "CHAIR", 1))
	first, err := retry(b, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"pending"}, outcomes(b, first))
	again, err := retry(b, 0)
	require.NoError(t, err, "it is the same decision")
	require.Len(t, again.Letters, 1)
	_, err = b.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, 0}}, Discard: true})
	require.ErrorContains(t, err, "commands.0.0 is about to be retried: --force")
	b.DoRedrive(0, 10)
	require.Equal(t, []string{"refusedunknown_key"}, outcomes(b, first))

	b.Do(create(0, "CHAIR", "b1", 10))
	byFilter, err := b.Decide(t.Context(), store.Decision{Filter: store.LetterFilter{Key: "CHAIR"}, Limit: 10})
	require.NoError(t, err)
	require.Zero(t, byFilter.LeftOut)
	b.DoRedrive(0, 10)
	require.Equal(t, []string{"applied"}, outcomes(b, byFilter))
	_, err = retry(b, 0)
	require.ErrorContains(t, err, "was retried, and its command applied")
	_, err = b.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, 0}}, Discard: true, Force: true})
	require.ErrorContains(t, err, "would not take that back")
}

func TestDecide_changesNothingIfOneCannotBe(t *testing.T) {
	b := setup(t, 1)
	b.Do(storetest.Command(0, "Add", `{`), storetest.Command(0, "Add", `{`))
	_, err := b.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, 0}, {"commands", 0, 7}, {"other", 0, 0}}, Discard: true})
	require.EqualError(t, err, "there is no dead letter commands.0.7\nthere is no dead letter other.0.0")
	require.Len(t, letters(b, store.LetterFilter{}, store.LetterOpen), 2)
	dry, err := b.Decide(t.Context(), store.Decision{Filter: store.LetterFilter{Reasons: []string{"malformed"}}, Limit: 1, Discard: true, DryRun: true})
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.0"}, places(dry.Letters))
	require.EqualValues(t, 1, dry.More)
	require.Len(t, letters(b, store.LetterFilter{}, store.LetterOpen), 2)
	done, err := b.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, 1}, {"commands", 0, 1}}, Discard: true})
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.1"}, places(done.Letters))
	b.DoRedrive(0, 10)
	require.Equal(t, []string{"discarded"}, outcomes(b, done))
	_, err = retry(b, 1)
	require.ErrorContains(t, err, "was discarded: --force applies it now")
}

func TestListen_hearsNudgesAndDecisions(t *testing.T) {
	b := setup(t, 1)
	b.Do(storetest.Command(0, "Add", `{`))
	nudged, decided, listening, ended := make(chan []int32, 1), make(chan struct{}, 1), make(chan struct{}, 1), make(chan error, 1)
	s := b.Open("listener")
	go func() {
		ended <- s.Listen(t.Context(), func(sources []int32) { nudged <- sources }, func() { decided <- struct{}{} }, func() { listening <- struct{}{} })
	}()
	<-listening
	require.NoError(t, b.Nudge(t.Context(), []int32{3, 7}))
	require.Equal(t, []int32{3, 7}, <-nudged)
	_, err := retry(b, 0)
	require.NoError(t, err)
	<-decided
	b.Exec(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`)
	require.Error(t, <-ended, "it ends with its connection")
}

func TestOutcomes_ofHeldKeys(t *testing.T) {
	b := setup(t, 2)
	b.Do(addTo(0, "b1", 1))
	failed := b.Do(fail(create(0, "CHAIR", "b1", 10)))
	require.Len(t, failed.Rows[0], 1)
	waits, err := retry(b, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"held"}, results(b.DoRedrive(0, 10)))
	require.Equal(t, []string{"waitsCHAIR"}, outcomes(b, waits))

	letter, err := b.Letter(t.Context(), store.RecordID{"commands", 0, 1})
	require.NoError(t, err)
	require.Equal(t, "CHAIR", letter.Holds)
	require.EqualValues(t, 1, letter.Waiting)
	held, err := b.Held(t.Context(), "CHAIR", "TABLE")
	require.NoError(t, err)
	require.Len(t, held, 1)
	require.Equal(t, "commands.0.1", held[0].Letter.String())
	require.EqualValues(t, 1, held[0].Waiting)

	retried, err := retry(b, 1)
	require.NoError(t, err)
	_, transaction := b.Redrive(0, 10)
	transaction.Commands[0] = fail(transaction.Commands[0])
	applied, err := b.Apply(t.Context(), transaction)
	require.NoError(t, err)
	b.NextRow[0] += int64(len(applied.Rows[0]))
	require.Equal(t, []string{"failedinternal"}, outcomes(b, retried))
	forced, err := b.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, 1}}, Force: true})
	require.NoError(t, err)
	require.Equal(t, []string{"changed"}, results(b.DoRedrive(0, 10)))
	require.Equal(t, []string{"applied"}, outcomes(b, forced))
	require.Equal(t, []string{"waitsCHAIR"}, outcomes(b, waits))
	b.DoRedrive(0, 10)
	require.Equal(t, []string{"applied"}, outcomes(b, waits))
}

// That a command waited behind a held key does not make it forget that it was retried.
func TestDecide_remembersTheRetryOfACommandThatWaited(t *testing.T) {
	b := setup(t, 1)
	b.Do(add(0, "CHAIR", 1))
	b.Do(fail(create(0, "CHAIR", "b1", 10)))
	_, err := retry(b, 0)
	require.NoError(t, err)
	b.DoRedrive(0, 10)
	_, err = b.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, 1}}, Discard: true})
	require.NoError(t, err)
	b.DoRedrive(0, 10)
	require.Equal(t, []worker.Outcome{{Result: worker.Refused, Reason: "unknown_key"}}, b.DoRedrive(0, 10).Outcomes)
	require.Equal(t, 1, b.Count(`select max(retries)::int from dead_letters where reason = 'unknown_key'`))
}
