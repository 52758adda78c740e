package products

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

func TestApply_servesWaitingLinesThatTheDatabaseHolds(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"LAMP","qty":5}`))
	for i := range 40 {
		b.Do(command(0, "Allocate", `{"orderid":"o%d","sku":"LAMP","qty":%d}`, i, 6+i%3))
	}
	applied := b.Do(command(0, "CreateBatch", `{"ref":"b2","sku":"LAMP","qty":200}`))
	require.Len(t, applied.Rows[0], 1+28, "6+7+8 thrice nine, and one of 6")
	require.Equal(t, 12, b.Count(`select count(*) from lines where state = 'waiting'`))
	require.Equal(t, 12, b.Count(`select waiting from products`))
}

func TestApply_keepsTheOrderOfAProductWhenSomeCommandsNeedAnotherLoad(t *testing.T) {
	b := setup(t, 1)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"SOFA","qty":1}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"SOFA","qty":1}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"SOFA","qty":1}`),
		command(0, "CreateBatch", `{"ref":"c1","sku":"RUG","qty":1}`),
	)
	applied := b.Do(
		command(0, "CreateBatch", `{"ref":"b2","sku":"SOFA","qty":2}`), // needs the waiting line
		command(0, "Allocate", `{"orderid":"o3","sku":"SOFA","qty":1}`),
		command(0, "ChangeBatchQuantity", `{"batchref":"b2","qty":1}`), // names its product only by its batch
		command(0, "CreateBatch", `{"ref":"b2","sku":"RUG","qty":1}`),
		command(0, "Allocate", `{"orderid":"o3","sku":"RUG","qty":1}`),
	)
	require.Equal(t, []string{
		`4 BatchCreated {"ref":"b2","sku":"SOFA","qty":2}`,
		`5 Allocated {"orderid":"o2","sku":"SOFA","qty":1,"batchref":"b2"}`,
		`6 Allocated {"orderid":"o3","sku":"SOFA","qty":1,"batchref":"b2"}`,
		`7 BatchQuantityChanged {"batchref":"b2","sku":"SOFA","qty":1}`,
		`8 Deallocated {"orderid":"o3","sku":"SOFA","qty":1,"batchref":"b2","reason":"batch_reduced"}`,
		`9 OutOfStock {"orderid":"o3","sku":"SOFA","qty":1}`,
		`refused batch_conflict`,
		`2 Allocated {"orderid":"o3","sku":"RUG","qty":1,"batchref":"c1"}`,
	}, says(applied.Rows[0]))
}

// racing holds a batch between its decision and its write, while another transaction is committed.
func (b *bench) racing(transaction worker.Transaction, meanwhile func()) error {
	b.T.Helper()
	_, err := b.Interrupted(meanwhile).Apply(b.T.Context(), transaction)
	return err
}

func TestApply_conflictsWhenWhatItReadHasChanged(t *testing.T) {
	for name, c := range map[string]struct{ racer, meanwhile worker.Command }{
		"a product that it writes":       {command(0, "Allocate", `{"orderid":"o1","sku":"OLD","qty":1}`), command(1, "Allocate", `{"orderid":"o2","sku":"OLD","qty":1}`)},
		"a product that it only read":    {command(0, "Dispatch", `{"orderid":"o1","sku":"OLD"}`), command(1, "Allocate", `{"orderid":"o1","sku":"OLD","qty":1}`)},
		"a product that was absent":      {command(0, "Allocate", `{"orderid":"o1","sku":"NEW","qty":1}`), command(1, "CreateBatch", `{"ref":"n","sku":"NEW","qty":1}`)},
		"a product that both make":       {command(0, "CreateBatch", `{"ref":"n1","sku":"NEW","qty":1}`), command(1, "CreateBatch", `{"ref":"n2","sku":"NEW","qty":1}`)},
		"a batch that was absent":        {command(0, "ChangeBatchEta", `{"batchref":"n"}`), command(1, "CreateBatch", `{"ref":"n","sku":"NEW","qty":1}`)},
		"a batch that two products make": {command(0, "CreateBatch", `{"ref":"n","sku":"OLD","qty":1}`), command(1, "CreateBatch", `{"ref":"n","sku":"NEW","qty":1}`)},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 2)
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"OLD","qty":50}`))
			err := b.racing(onlyPartition(b.Transaction(c.racer), 0), func() {
				_, err := b.Apply(t.Context(), onlyPartition(b.Transaction(c.meanwhile), 1))
				require.NoError(t, err)
			})
			require.ErrorIs(t, err, worker.ErrConflict)
			_, err = b.Apply(t.Context(), onlyPartition(b.Transaction(c.racer), 0))
			require.NoError(t, err, "decided again, it must go")
		})
	}
}

// What was absent may have been made and changed very often by the time that another transaction
// makes it, too.
func TestApply_makesNothingTwiceHoweverOftenItWasChangedMeanwhile(t *testing.T) {
	for name, made := range map[string]string{
		"a product that both make":       `{"ref":"n2","sku":"NEW","qty":1}`,
		"a batch that two products make": `{"ref":"n1","sku":"OTHER","qty":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 2)
			racer := onlyPartition(b.Transaction(command(0, "CreateBatch", "%s", made)), 0)
			err := b.racing(racer, func() {
				other := b.Other(b.Open("other"))
				other.Do(command(1, "CreateBatch", `{"ref":"n1","sku":"NEW","qty":1}`))
				// An old snapshot keeps the row's versions, so that it moves to another page.
				b.Outsider(`set transaction isolation level repeatable read; select from products`)
				for n := 0; b.Count(`select generation from batches where ref = 'n1'`) == 0; n++ { // it did not leave its page
					require.Less(t, n, 1000)
					other.Do(command(1, "ChangeBatchEta", `{"batchref":"n1","eta":"2030-01-%02d"}`, 1+n%28))
				}
			})
			require.ErrorIs(t, err, worker.ErrConflict)
			_, err = b.Apply(t.Context(), racer)
			require.NoError(t, err, "decided again, it must go")
		})
	}
}
