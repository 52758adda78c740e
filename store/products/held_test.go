package products

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
	"allocation/worker"
)

func TestApply_holdsTheProductOfACommandThatFailed(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`), command(0, "CreateBatch", `{"ref":"b2","sku":"TABLE","qty":10}`))
	failed := b.Do(fail(typed(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":3}`))))
	require.Equal(t, []string{"refused internal"}, says(failed.Rows[0]))

	later := b.Do(
		typed(command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":3}`)),
		typed(command(0, "Allocate", `{"orderid":"o3","sku":"TABLE","qty":3}`)),
		typed(command(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":5}`)), // its product is found by its batch
		typed(command(1, "CreateBatch", `{"ref":"b3","sku":"CHAIR","qty":1}`)),
		typed(command(1, "ChangeBatchEta", `{"batchref":"b3","eta":"2030-01-01"}`)), // there is no such batch yet
	)
	require.Equal(t, []string{"held", "changed", "held", "held", "held"}, results(later))
	again := b.Do(typed(command(1, "ChangeBatchEta", `{"batchref":"b3"}`)))
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
	require.Equal(t, `2 Allocated {"orderid":"o1","sku":"CHAIR","qty":3,"batchref":"b1"}`, says(retried.Rows[0])[1])
	require.Zero(t, retried.Rows[0][1].Event, "it is numbered as if it had not failed")

	require.Equal(t, []string{"held"}, results(b.Do(typed(command(0, "Allocate", `{"orderid":"o4","sku":"CHAIR","qty":1}`)))), "others still wait before it")
	first := b.DoRedrive(0, 2)
	require.Equal(t, []string{"changed", "changed"}, results(first))
	require.Equal(t, b.Claims[1].Source.ID, first.Rows[0][len(first.Rows[0])-1].From.ID, "it came by the other partition")
	rest := b.DoRedrive(0, 10)
	require.Equal(t, []string{"changed", "changed", "changed", "changed"}, results(rest))
	require.Equal(t, []string{"changed"}, results(b.Do(command(1, "Allocate", `{"orderid":"o5","sku":"CHAIR","qty":1}`))), "it is free")

	from := failed.Rows[0][0].Number
	want := append(append(append(append(append([]outbox.Row{}, failed.Rows[0]...), later.Rows[0]...), retried.Rows[0]...), first.Rows[0]...), rest.Rows[0]...)
	rows, err := b.Rows(t.Context(), b.Claims[0].Source, from, from+int64(len(want)))
	require.NoError(t, err)
	require.Equal(t, want, rows, "what is read from the table is what was handed over")
}
