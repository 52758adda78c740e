package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
	"allocation/worker"
)

// places are the IDs of letters, as text.
func places(letters []Letter) (out []string) {
	for _, l := range letters {
		out = append(out, l.ID.String())
	}
	return out
}

func (b *bench) letters(f LetterFilter, states ...string) []string {
	b.t.Helper()
	list, err := b.Letters(b.t.Context(), f, states, 100)
	require.NoError(b.t, err)
	return places(list.Letters)
}

func (b *bench) retry(offset int64) (Decided, error) {
	return b.Decide(b.t.Context(), Decision{Places: []Place{{"commands", 0, offset}}})
}

func (b *bench) outcomes(d Decided) (results []string) {
	b.t.Helper()
	outcomes, err := b.Outcomes(b.t.Context(), d.Letters)
	require.NoError(b.t, err)
	for _, o := range outcomes {
		results = append(results, o.Result+o.Reason+o.Product)
	}
	return results
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	p, err := ParsePlace("warehouse.commands.3.1042")
	require.NoError(t, err)
	require.Equal(t, Place{"warehouse.commands", 3, 1042}, p)
	require.Equal(t, "warehouse.commands.3.1042", p.String())
	for _, wrong := range []string{"", "1042", "3.1042", ".3.1042", "commands.3", "commands.-3.1", "commands.3.x", "commands.3.1.", "c.99999999999.1"} {
		_, err := ParsePlace(wrong)
		require.ErrorContains(t, err, "<topic>.<partition>.<offset>", wrong)
	}
}

func TestLetters_filters(t *testing.T) {
	b := setup(t, 1)
	b.apply(
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"TABLE","qty":1}`),
		command(0, "ChangeBatchEta", `{"batchref":"none"}`),
		command(0, "Allocate", `{`))
	b.decide(0, 0, LetterDiscarded)
	require.Equal(t, []string{"commands.0.1", "commands.0.2", "commands.0.3"}, b.letters(LetterFilter{}, LetterOpen))
	require.Equal(t, []string{"commands.0.0"}, b.letters(LetterFilter{}, LetterDiscarded))
	require.Len(t, b.letters(LetterFilter{}, LetterStates()...), 4)
	require.Equal(t, []string{"commands.0.1"}, b.letters(LetterFilter{SKU: "TABLE"}, LetterOpen))
	require.Equal(t, []string{"commands.0.2"}, b.letters(LetterFilter{Types: []string{"ChangeBatchEta"}}, LetterOpen))
	require.Equal(t, []string{"commands.0.2", "commands.0.3"}, b.letters(LetterFilter{Reasons: []string{"unknown_batch", "malformed"}}, LetterOpen))
	require.Len(t, b.letters(LetterFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, LetterOpen), 3)
	require.Empty(t, b.letters(LetterFilter{Since: time.Now().Add(time.Hour)}, LetterOpen))
	require.Empty(t, b.letters(LetterFilter{Until: time.Now().Add(-time.Hour)}, LetterOpen))

	list, err := b.Letters(t.Context(), LetterFilter{}, []string{LetterOpen, LetterDiscarded}, 3)
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.0", "commands.0.1", "commands.0.2"}, places(list.Letters))
	require.EqualValues(t, 1, list.More)
}

// Of a list, what it reads must not grow with what was resolved long ago.
func TestLetters_resolvedOnesCostNothing(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`))
	_, err := b.pool.Exec(t.Context(), `
insert into dead_letters (source, row_no, command_offset, reason, message, headers, state, recorded_at)
select 1, n, n, 'unknown_sku', '', '\x00', 'discarded', now() - interval '1 day' from generate_series(1, 50000) n`)
	require.NoError(t, err)
	_, err = b.pool.Exec(t.Context(), `analyze dead_letters`)
	require.NoError(t, err)
	var plan string
	f := LetterFilter{SKU: "CHAIR"}
	rows, err := b.pool.Query(t.Context(), `explain (analyze, buffers, timing off) `+aboutStates(listLettersSQL, []string{LetterOpen}), f.args([]string{LetterOpen, LetterRetrying}, 100)...)
	require.NoError(t, err)
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		plan += line + "\n"
	}
	require.NoError(t, rows.Err())
	require.Contains(t, plan, "dead_letters_unresolved")
	require.NotContains(t, plan, "Seq Scan on dead_letters")
	require.NotRegexp(t, `Rows Removed by Filter: \d{3}`, plan)
}

func TestLetter_hasEverything(t *testing.T) {
	b := setup(t, 1)
	c := typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`))
	c.Key = []byte("CHAIR")
	b.apply(c)
	_, err := b.retry(0)
	require.NoError(t, err)
	b.applyKept(0, 10)
	l, err := b.Letter(t.Context(), Place{"commands", 0, 0})
	require.NoError(t, err)
	require.Equal(t, c.Value, l.Value)
	require.Equal(t, c.Key, l.Key)
	require.Equal(t, []outbox.Header{{Key: "ce_type", Value: []byte("Allocate")}}, l.Headers)
	require.Equal(t, LetterOpen, l.State, "the last one counts")
	require.EqualValues(t, 1, l.Retries)
	require.Len(t, l.Others, 1)
	require.Equal(t, LetterRetried, l.Others[0].State)
	_, err = b.Letter(t.Context(), Place{"commands", 0, 1})
	require.ErrorIs(t, err, ErrUnknown)
}

func TestDecide_retriesARefusalFreely(t *testing.T) {
	b := setup(t, 1)
	b.Store = b.asWorker()
	b.apply(typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)))
	first, err := b.retry(0)
	require.NoError(t, err)
	require.Equal(t, []string{"pending"}, b.outcomes(first))
	again, err := b.retry(0)
	require.NoError(t, err, "it is the same decision")
	require.Len(t, again.Letters, 1)
	_, err = b.Decide(t.Context(), Decision{Places: []Place{{"commands", 0, 0}}, Discard: true})
	require.ErrorContains(t, err, "commands.0.0 is about to be retried: --force")
	b.applyKept(0, 10)
	require.Equal(t, []string{"refusedunknown_sku"}, b.outcomes(first))

	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))
	byFilter, err := b.Decide(t.Context(), Decision{Filter: LetterFilter{SKU: "CHAIR"}, Limit: 10})
	require.NoError(t, err)
	require.Zero(t, byFilter.LeftOut)
	b.applyKept(0, 10)
	require.Equal(t, []string{"applied"}, b.outcomes(byFilter))
	_, err = b.retry(0)
	require.ErrorContains(t, err, "was retried, and its command applied")
	_, err = b.Decide(t.Context(), Decision{Places: []Place{{"commands", 0, 0}}, Discard: true, Force: true})
	require.ErrorContains(t, err, "would not take that back")
}

func TestDecide_changesNothingIfOneCannotBe(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "Allocate", `{`), command(0, "Allocate", `{`))
	_, err := b.Decide(t.Context(), Decision{Places: []Place{{"commands", 0, 0}, {"commands", 0, 7}, {"other", 0, 0}}, Discard: true})
	require.EqualError(t, err, "there is no dead letter commands.0.7\nthere is no dead letter other.0.0")
	require.Len(t, b.letters(LetterFilter{}, LetterOpen), 2)
	dry, err := b.Decide(t.Context(), Decision{Filter: LetterFilter{Reasons: []string{"malformed"}}, Limit: 1, Discard: true, DryRun: true})
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.0"}, places(dry.Letters))
	require.EqualValues(t, 1, dry.More)
	require.Len(t, b.letters(LetterFilter{}, LetterOpen), 2)
	done, err := b.Decide(t.Context(), Decision{Places: []Place{{"commands", 0, 1}, {"commands", 0, 1}}, Discard: true})
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.1"}, places(done.Letters))
	b.applyKept(0, 10)
	require.Equal(t, []string{"discarded"}, b.outcomes(done))
	_, err = b.retry(1)
	require.ErrorContains(t, err, "was discarded: --force applies it now")
}

func TestDecide_tellsWorkers(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "Allocate", `{`))
	told := make(chan struct{}, 1)
	listening := make(chan struct{})
	heardOnce := sync.OnceFunc(func() { close(listening) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- b.Listen(ctx, func([]int32) { heardOnce() }, func() { told <- struct{}{} }, func() {})
	}()
	for heard := false; !heard; {
		require.NoError(t, b.Nudge(t.Context(), []int32{1}))
		select {
		case <-listening:
			heard = true
		case <-time.After(10 * time.Millisecond):
		}
	}
	_, err := b.retry(0)
	require.NoError(t, err)
	<-told
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestOutcomes_ofHeldProducts(t *testing.T) {
	b := setup(t, 2)
	b.apply(typed(command(0, "ChangeBatchEta", `{"batchref":"b1"}`)))
	failed := b.apply(fail(typed(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))))
	require.Len(t, failed.Rows[0], 1)
	waits, err := b.retry(0)
	require.NoError(t, err)
	require.Equal(t, []string{"held"}, results(b.applyKept(0, 10)))
	require.Equal(t, []string{"waitsCHAIR"}, b.outcomes(waits))

	letter, err := b.Letter(t.Context(), Place{"commands", 0, 1})
	require.NoError(t, err)
	require.Equal(t, "CHAIR", letter.Holds)
	require.EqualValues(t, 1, letter.Waiting)
	product, err := b.ShowProduct(t.Context(), "CHAIR", 100)
	require.NoError(t, err)
	require.Len(t, product.Held, 1)
	require.Equal(t, "commands.0.1", product.Held[0].Letter.String())
	require.EqualValues(t, 1, product.Held[0].Waiting)

	retried, err := b.retry(1)
	require.NoError(t, err)
	_, batch, _ := b.keep(0, 10)
	batch.Commands[0] = fail(batch.Commands[0])
	applied, err := b.Apply(t.Context(), batch)
	require.NoError(t, err)
	b.rows[0] += int64(len(applied.Rows[0]))
	require.Equal(t, []string{"failedinternal"}, b.outcomes(retried))
	forced, err := b.Decide(t.Context(), Decision{Places: []Place{{"commands", 0, 1}}, Force: true})
	require.NoError(t, err)
	require.Equal(t, []string{"changed"}, results(b.applyKept(0, 10)))
	require.Equal(t, []string{"applied"}, b.outcomes(forced))
	require.Equal(t, []string{"waitsCHAIR"}, b.outcomes(waits))
	b.applyKept(0, 10)
	require.Equal(t, []string{"applied"}, b.outcomes(waits))
}

// That a command waited behind a held product does not make it forget that it was retried.
func TestDecide_remembersTheRetryOfACommandThatWaited(t *testing.T) {
	b := setup(t, 1)
	b.apply(typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)))
	b.apply(fail(typed(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))))
	_, err := b.retry(0)
	require.NoError(t, err)
	b.applyKept(0, 10)
	_, err = b.Decide(t.Context(), Decision{Places: []Place{{"commands", 0, 1}}, Discard: true})
	require.NoError(t, err)
	b.applyKept(0, 10)
	require.Equal(t, []worker.Outcome{{Result: worker.Refused, Reason: "unknown_sku"}}, b.applyKept(0, 10).Outcomes)
	require.Equal(t, 1, b.count(`select max(retries)::int from dead_letters where reason = 'unknown_sku'`))
}
