package products

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/worker"
)

func TestApply_isFirstWhereItLocksFirst(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`))

	rival := b.Transaction(command(1, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`))
	rival.Moves, rival.Commands[0].Move = rival.Moves[1:], 0
	s, another, rivals := b.beside(rival)

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

// A transaction that locks first and one that only writes lock the table absences and a product in
// the same order.
func TestApply_doesNotDeadlockWhereItLocksFirst(t *testing.T) {
	makes := command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50}`)
	relies := command(0, "ChangeBatchEta", `{"batchref":"nobody"}`)
	reliesByProduct := command(0, "Allocate", `{"orderid":"o1","sku":"LAMP","qty":1}`)
	for name, commands := range map[string][]worker.Command{
		"makes, where others rely":   {makes, relies},
		"relies, where others make":  {relies, makes},
		"relies, by a product":       {reliesByProduct, makes},
		"makes and relies as others": {makes, relies, makes, reliesByProduct},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 2)
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
			half := len(commands) / 2
			change := `{"batchref":"b1","qty":%d}`
			theirs := append([]worker.Command{command(0, "ChangeBatchQuantity", change, 10)}, commands[half:]...)
			rival := b.Transaction(theirs...)
			for i := range rival.Commands {
				rival.Commands[i].Offset = int64(i)
			}
			rival.Moves = rival.Moves[1:]
			rival.Moves[0].To = int64(len(theirs))
			s, _, rivals := b.beside(rival)
			transaction := b.Transaction(append([]worker.Command{command(0, "ChangeBatchQuantity", change, 20)}, commands[:half]...)...)
			transaction.Moves, transaction.LockFirst = transaction.Moves[:1], true
			_, err := s.Apply(t.Context(), transaction)
			require.NoError(t, err)
			err = <-rivals
			require.ErrorIs(t, err, worker.ErrConflict)
			require.NotContains(t, err.Error(), "40P01", "deadlock_detected")
		})
	}
}

// beside gives a store whose first load has another one apply a transaction, until that is over or
// waits for a lock. Its error comes by the channel.
func (b *bench) beside(rival worker.Transaction) (s, another *store.Store, rivals chan error) {
	another, rivals = b.Open("rival"), make(chan error, 1)
	return b.Interrupted(func() {
		go func() {
			_, err := another.Apply(b.T.Context(), rival)
			rivals <- err
		}()
		testbed.Eventually(b.T, func() bool { return len(rivals) > 0 || b.WaitsForLock() })
	}), another, rivals
}
