package products

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

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
