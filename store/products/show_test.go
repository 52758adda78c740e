package products

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// types are the events of a line's history.
func types(l LineView) (out []string) {
	for _, h := range l.History {
		out = append(out, fmt.Sprintf("%d %s %s", h.Sequence, h.Type, h.Data))
	}
	return out
}

func TestShowOrder_followsHistoryOverPartitions(t *testing.T) {
	b := setup(t, 2)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`))
	b.Do(command(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":5}`))
	b.Do(command(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`))

	order, err := View{b.Store}.Order(t.Context(), "o1", 100)
	require.NoError(t, err)
	require.Len(t, order.Lines, 1)
	line := order.Lines[0]
	require.Equal(t, "cancelled", line.State)
	require.False(t, line.HistoryCut)
	require.Equal(t, []string{
		`3 Allocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b1"}`,
		`5 Deallocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`,
		`6 Allocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b2"}`,
		`7 Deallocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b2","reason":"cancelled"}`,
	}, types(line))
	require.Equal(t, []int32{0, 1, 1, 0}, []int32{
		line.History[0].Partition, line.History[1].Partition, line.History[2].Partition, line.History[3].Partition,
	})
	require.Equal(t, "commands", line.History[0].Topic)
	require.EqualValues(t, 2, line.History[0].Offset)
	require.NotNil(t, line.History[0].Time)
}

func TestShowOrder_saysThatHistoryIsCut(t *testing.T) {
	b := setup(t, 1)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`))
	b.Exec(`delete from outbox where type = 'Allocated'`)
	order, err := View{b.Store}.Order(t.Context(), "o1", 100)
	require.NoError(t, err)
	require.True(t, order.Lines[0].HistoryCut)
	require.Len(t, order.Lines[0].History, 1)
	require.Equal(t, "dispatched", order.Lines[0].State)

	b.Exec(`delete from outbox`)
	order, err = View{b.Store}.Order(t.Context(), "o1", 100)
	require.NoError(t, err)
	require.True(t, order.Lines[0].HistoryCut)
	require.Empty(t, order.Lines[0].History)
}

func TestShowProduct_boundsListsAndCountsAll(t *testing.T) {
	b := setup(t, 1)
	const limit = 100
	const total = limit + 20
	commands := []worker.Command{
		command(0, "CreateBatch", `{"ref":"used","sku":"CHAIR","qty":0}`),
		command(0, "CreateBatch", `{"ref":"late","sku":"CHAIR","qty":7,"eta":"2030-01-01"}`),
		command(0, "CreateBatch", `{"ref":"here","sku":"CHAIR","qty":%d}`, total),
	}
	for i := range total {
		commands = append(commands, command(0, "Allocate", `{"orderid":"small%03d","sku":"CHAIR","qty":1}`, i))
	}
	for i := range total {
		commands = append(commands, command(0, "Allocate", `{"orderid":"large%03d","sku":"CHAIR","qty":9}`, i))
	}
	b.Do(commands...)

	product, err := View{b.Store}.Product(t.Context(), "CHAIR", limit)
	require.NoError(t, err)
	require.EqualValues(t, 2, product.BatchesTotal)
	require.Equal(t, []string{"here", "late"}, []string{product.Batches[0].Ref, product.Batches[1].Ref})
	require.EqualValues(t, total, product.Batches[0].LinesTotal)
	require.EqualValues(t, total, product.WaitingTotal)
	require.Len(t, product.Waiting, limit)
	require.Equal(t, "large000", product.Waiting[0].OrderID)
	require.Equal(t, "large099", product.Waiting[limit-1].OrderID)

	batch, err := View{b.Store}.Batch(t.Context(), "here", limit)
	require.NoError(t, err)
	require.EqualValues(t, total, batch.LinesTotal)
	require.Len(t, batch.Lines, limit)
	require.Equal(t, "small000", batch.Lines[0].OrderID)
	require.Zero(t, batch.Available)
}
