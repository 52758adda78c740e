package store

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
	"allocation/worker"
)

// fail makes a command one that failed alone too often.
func fail(c worker.Command) worker.Command {
	c.Failure = "it failed 3 times alone: odd"
	return c
}

// decide notes an operator's decision on the dead letter of a row.
func (b *bench) decide(partition int, row int64, state string) {
	b.t.Helper()
	_, err := b.pool.Exec(b.t.Context(), `update dead_letters set state = $3 where source = $1 and row_no = $2`, b.claims[partition].Source.ID, row, state)
	require.NoError(b.t, err)
}

// keep reads what is kept for a partition, and makes a batch of it, as its worker would.
func (b *bench) keep(partition, most int) (worker.KeptBatch, worker.Batch, error) {
	b.t.Helper()
	kept, batch, err := b.tryToKeep(partition, most)
	require.NoError(b.t, err)
	return kept, batch, nil
}

func (b *bench) tryToKeep(partition, most int) (worker.KeptBatch, worker.Batch, error) {
	kept, err := b.Kept(b.t.Context(), b.claims[partition].Source.ID, most, false)
	if err != nil {
		return kept, worker.Batch{}, err
	}
	batch := b.batch()
	batch.Lanes = batch.Lanes[partition : partition+1]
	for i := range kept.Records {
		r := &kept.Records[i]
		batch.Commands = append(batch.Commands, worker.Command{
			Offset: r.Offset, Type: header(r.Headers, "ce_type"), Data: r.Value, Key: r.Key, Value: r.Value, Headers: r.Headers,
			Cause: &outbox.Cause{Time: r.Time}, Kept: &r.Kept,
		})
	}
	if kept.Free != "" {
		batch.Free = []string{kept.Free}
	}
	return kept, batch, nil
}

func header(headers []outbox.Header, key string) string {
	for _, h := range headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// typed is a command whose headers tell its type, so that it can be read again.
func typed(c worker.Command) worker.Command {
	c.Headers = []outbox.Header{{Key: "ce_type", Value: []byte(c.Type)}}
	return c
}

func (b *bench) applyKept(partition, most int) worker.Applied {
	b.t.Helper()
	_, batch, err := b.keep(partition, most)
	require.NoError(b.t, err)
	applied, err := b.Apply(b.t.Context(), batch)
	require.NoError(b.t, err)
	b.rows[partition] += int64(len(applied.Rows[0]))
	return applied
}

func results(a worker.Applied) (out []string) {
	for _, o := range a.Outcomes {
		out = append(out, o.Result.String())
	}
	return out
}

func TestApply_holdsTheProductOfACommandThatFailed(t *testing.T) {
	b := setup(t, 2)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`), command(0, "CreateBatch", `{"ref":"b2","sku":"TABLE","qty":10}`))
	failed := b.apply(fail(typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":3}`))))
	require.Equal(t, []string{"refused internal"}, says(failed.Rows[0]))

	later := b.apply(
		typed(command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":3}`)),
		typed(command(0, "Allocate", `{"orderid":"o3","sku":"TABLE","qty":3}`)),
		typed(command(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":5}`)), // its product is found by its batch
		typed(command(1, "CreateBatch", `{"ref":"b3","sku":"CHAIR","qty":1}`)),
		typed(command(1, "ChangeBatchEta", `{"batchref":"b3","eta":"2030-01-01"}`)), // there is no such batch yet
	)
	require.Equal(t, []string{"held", "changed", "held", "held", "held"}, results(later))
	again := b.apply(typed(command(1, "ChangeBatchEta", `{"batchref":"b3"}`)))
	require.Equal(t, []string{"held"}, results(again), "it is known from the table that b3 will be made")

	backlogs, err := b.Backlogs(t.Context(), []int32{b.claims[0].Source.ID, b.claims[1].Source.ID})
	require.NoError(t, err)
	require.Equal(t, map[int32]worker.Backlog{b.claims[0].Source.ID: {Held: 1}}, backlogs)
	kept, _, _ := b.keep(0, 10)
	require.True(t, kept.Empty(), "nobody decided yet")

	b.decide(0, failed.Rows[0][0].Number, "retrying")
	retried := b.applyKept(0, 10)
	require.Equal(t, []string{"changed"}, results(retried))
	require.Equal(t, outbox.Retried, retried.Rows[0][0].DeadLetter.Decision)
	require.Equal(t, `2 Allocated {"orderid":"o1","sku":"CHAIR","qty":3,"batchref":"b1"}`, says(retried.Rows[0])[1])
	require.Zero(t, retried.Rows[0][1].Event, "it is numbered as if it had not failed")

	require.Equal(t, []string{"held"}, results(b.apply(typed(command(0, "Allocate", `{"orderid":"o4","sku":"CHAIR","qty":1}`)))), "others still wait before it")
	first := b.applyKept(0, 2)
	require.Equal(t, []string{"changed", "changed"}, results(first))
	require.Equal(t, b.claims[1].Source.ID, first.Rows[0][len(first.Rows[0])-1].From.ID, "it came by the other partition")
	rest := b.applyKept(0, 10)
	require.Equal(t, []string{"changed", "changed", "changed", "changed"}, results(rest))
	require.Equal(t, []string{"changed"}, results(b.apply(command(1, "Allocate", `{"orderid":"o5","sku":"CHAIR","qty":1}`))), "it is free")

	from := failed.Rows[0][0].Number
	want := append(append(append(append(append([]outbox.Row{}, failed.Rows[0]...), later.Rows[0]...), retried.Rows[0]...), first.Rows[0]...), rest.Rows[0]...)
	rows, err := b.Rows(t.Context(), b.claims[0].Source, from, from+int64(len(want)))
	require.NoError(t, err)
	require.Equal(t, want, rows, "what is read from the table is what was handed over")
}

func TestApply_discardsACommandThatFailed(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))
	failed := b.apply(fail(typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":3}`))))
	b.apply(typed(command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":3}`)))
	b.decide(0, failed.Rows[0][0].Number, "discarding")
	discarded := b.applyKept(0, 10)
	require.Equal(t, []string{"discarded"}, results(discarded))
	require.Len(t, discarded.Rows[0], 1)
	require.Equal(t, outbox.Discarded, discarded.Rows[0][0].DeadLetter.Decision)
	require.Equal(t, []string{`2 Allocated {"orderid":"o2","sku":"CHAIR","qty":3,"batchref":"b1"}`}, says(b.applyKept(0, 10).Rows[0]))
}

// What begins to wait while a product is freed would wait for ever.
func TestApply_doesNotFreeAProductForWhichSomethingBeganToWait(t *testing.T) {
	b := setup(t, 2)
	failed := b.apply(fail(typed(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))))
	b.decide(0, failed.Rows[0][0].Number, "retrying")
	b.applyKept(0, 10)
	_, free, _ := b.keep(0, 10)
	require.Equal(t, []string{"CHAIR"}, free.Free)
	b.apply(typed(command(1, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":3}`)))
	_, err := b.Apply(t.Context(), free)
	require.ErrorIs(t, err, worker.ErrConflict)
	require.Equal(t, []string{"changed"}, results(b.applyKept(0, 10)))
}

func TestApply_numbersTheEventsOfARetryAfterThoseOfTheRefusal(t *testing.T) {
	b := setup(t, 1)
	refused := b.apply(typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":3}`)))
	require.Equal(t, []string{"refused"}, results(refused))
	b.decide(0, 0, "retrying")
	again := b.applyKept(0, 10)
	require.Equal(t, []string{"refused"}, results(again))
	require.Equal(t, int32(1), again.Rows[0][2].Event)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))
	b.decide(0, again.Rows[0][1].Number, "retrying")
	last := b.applyKept(0, 10)
	require.Equal(t, []string{"changed"}, results(last))
	require.Equal(t, int32(2), last.Rows[0][1].Event)
	var states []string
	require.NoError(t, b.pool.QueryRow(t.Context(), `select array_agg(state || ' ' || retries || ' ' || first_event order by row_no) from dead_letters`).Scan(&states))
	require.Equal(t, []string{"retried 0 3", "retried 1 3"}, states)
}

func TestApply_aRetryWaitsBehindAHeldProduct(t *testing.T) {
	b := setup(t, 1)
	refused := b.apply(typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":3}`)))
	failed := b.apply(fail(typed(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))))
	b.decide(0, refused.Rows[0][0].Number, "retrying")
	require.Equal(t, []string{"held"}, results(b.applyKept(0, 10)))
	b.decide(0, failed.Rows[0][0].Number, "retrying")
	require.Equal(t, []string{"changed"}, results(b.applyKept(0, 10)))
	last := b.applyKept(0, 10)
	require.Equal(t, []string{"changed"}, results(last))
	require.Equal(t, int32(1), last.Rows[0][0].Event)
}

func TestApply_aCommandThatFailsWhereItWaitedHoldsItsProductAgain(t *testing.T) {
	b := setup(t, 2)
	failed := b.apply(fail(typed(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))))
	b.apply(typed(command(1, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":3}`)), typed(command(1, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":3}`)))
	b.decide(0, failed.Rows[0][0].Number, "retrying")
	b.applyKept(0, 10)
	_, batch, _ := b.keep(0, 1)
	batch.Commands[0] = fail(batch.Commands[0])
	applied, err := b.Apply(t.Context(), batch)
	require.NoError(t, err)
	b.rows[0] += int64(len(applied.Rows[0]))
	require.Equal(t, b.claims[1].Source.ID, applied.Rows[0][0].From.ID)
	kept, _, _ := b.keep(0, 1)
	require.True(t, kept.Empty())
	b.decide(0, applied.Rows[0][0].Number, "discarding")
	b.applyKept(0, 10)
	require.Equal(t, []string{`2 Allocated {"orderid":"o2","sku":"CHAIR","qty":3,"batchref":"b1"}`}, says(b.applyKept(0, 10).Rows[0]))
}

func TestApply_aCommandThatCannotBeReadHoldsNothing(t *testing.T) {
	b := setup(t, 1)
	b.apply(fail(command(0, "Allocate", `{`)), fail(command(0, "ChangeBatchEta", `{"batchref":"none"}`)))
	var keys int
	require.NoError(t, b.pool.QueryRow(t.Context(), `select count(*) from held_keys`).Scan(&keys))
	require.Zero(t, keys)
}

func TestTry_countsTrialsThatNeverEnded(t *testing.T) {
	b := setup(t, 1)
	lane := b.batch().Lanes[0]
	try := func(to int64, forget bool) (int, int64) {
		t.Helper()
		earlier, reached, err := b.Try(t.Context(), lane, to, forget)
		require.NoError(t, err)
		return earlier, reached
	}
	check := func(earlier int, reached int64) func(int, int64) {
		return func(e int, r int64) { t.Helper(); require.Equal(t, earlier, e); require.Equal(t, reached, r) }
	}
	check(0, 0)(try(8, false))
	check(0, 8)(try(1, false))
	check(1, 1)(try(1, false))
	check(2, 1)(try(1, false))
	check(0, 0)(try(1, true))
	lane.From = 1
	check(0, 0)(try(2, false))
	lane.Token = worker.Token{}
	var fenced *worker.FencedError
	_, _, err := b.Try(t.Context(), lane, 2, false)
	require.ErrorAs(t, err, &fenced)
}

// Retried behind a held product, replayed, and retried once more: no two events of the command have
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
		return typed(command(0, "ChangeBatchQuantity", `{"batchref":"b1","sku":"CHAIR","qty":7}`))
	}
	quantity := func(qty int) { once(b.apply(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":%d}`, qty))) }
	refused := b.apply(change())
	require.Equal(t, []string{"refused"}, results(refused))
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
	failed := b.apply(fail(typed(command(0, "Allocate", `{"orderid":"bad","sku":"CHAIR","qty":1}`))))
	for range 2 { // it waits twice
		b.decide(0, refused.Rows[0][0].Number, "retrying")
		require.Equal(t, []string{"held"}, results(b.applyKept(0, 10)))
	}
	b.decide(0, failed.Rows[0][0].Number, "discarding")
	b.applyKept(0, 10)
	applied := b.applyKept(0, 1)
	require.Equal(t, []string{"changed"}, results(applied))
	once(applied)
	// The copy that still waits and a count that came first: both change the quantity.
	b.sudo(`update batches set qty = 9 where ref = 'b1'`)
	b.caches.forget()
	applied = b.applyKept(0, 10)
	require.Equal(t, []string{"changed"}, results(applied))
	once(applied)

	quantity(11)
	id, now := b.claims[0].Source.ID, b.offset[0]
	_, err := b.DecideOffsets(t.Context(), []OffsetDecision{{Action: "reset", Source: id, TopicID: b.claims[0].Source.TopicID, GoOn: new(int64), Why: "test"}})
	require.NoError(t, err)
	b.claims = b.claim(b.Store, 1)
	b.offset[0] = 0
	batch := b.batch(change())
	batch.Lanes[0].Replay = b.claims[0].Replay
	applied, err = b.Apply(t.Context(), batch)
	require.NoError(t, err)
	b.committed(batch, applied)
	require.Equal(t, []string{"changed"}, results(applied))
	require.Equal(t, int32(worker.EventsEach), applied.Rows[0][0].Event, "its second time")
	once(applied)

	b.offset[0] = now
	b.sudo(`update positions set next_offset = ` + strconv.FormatInt(now, 10))
	quantity(12)
	b.decide(0, refused.Rows[0][0].Number, "retrying")
	applied = b.applyKept(0, 10)
	require.Equal(t, []string{"changed"}, results(applied))
	once(applied)
	require.Len(t, numbers, 4)
}
