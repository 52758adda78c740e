package products

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/worker"
)

func TestApply_isFirstWhereItLocksFirst(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`))

	rival := b.Transaction(command(1, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`))
	rival.Moves, rival.Commands[0].Move = rival.Moves[1:], 0
	another, rivals := b.Open("rival"), make(chan error, 1)
	s := b.Interrupted(func() {
		go func() {
			_, err := another.Apply(t.Context(), rival)
			rivals <- err
		}()
		testbed.Eventually(t, func() bool { return len(rivals) > 0 || b.WaitsForLock() })
	})

	transaction := b.Transaction(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":10}`)) // names its product only by its batch
	transaction.Moves, transaction.LockFirst = transaction.Moves[:1], true
	applied, err := s.Apply(t.Context(), transaction)
	require.NoError(t, err)
	require.Len(t, applied.Rows[0], 3)
	require.ErrorIs(t, <-rivals, worker.ErrConflict, "it had read the product before")
	require.NoError(t, s.Ping(t.Context()), "the transaction is over")

	_, err = another.Apply(t.Context(), rival)
	require.NoError(t, err)
}
