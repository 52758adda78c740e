package products

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/worker"
)

func TestApply_reallocates(t *testing.T) {
	b := setup(t, 1)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
	)
	b.Do(command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`))
	applied := b.Do(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":25}`))
	require.Equal(t, []string{
		`5 BatchQuantityChanged {"batchref":"b1","sku":"CHAIR","qty":25}`,
		`6 Deallocated {"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`,
		`7 Allocated {"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`,
	}, says(applied.Rows[0]))

	stored, err := b.Rows(t.Context(), b.Claims[0].Source, 4, b.NextRow[0])
	require.NoError(t, err)
	for i := range stored {
		require.Equal(t, applied.Rows[0][i], stored[i], "what is drained must be what was handed over")
	}
}

func TestApply_servesWaitingLinesThatTheDatabaseHolds(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"LAMP","qty":5}`))
	for i := range 40 {
		b.Do(command(0, "Allocate", `{"orderid":"o%d","sku":"LAMP","qty":%d}`, i, 6+i%3))
	}
	applied := b.Do(command(0, "CreateBatch", `{"ref":"b2","sku":"LAMP","qty":200}`))
	require.Len(t, applied.Rows[0], 1+28, "6+7+8 thrice nine, and one of 6")
	var waiting int
	require.NoError(t, b.DB.QueryRow(t.Context(), `select count(*) from lines where state = 'waiting'`).Scan(&waiting))
	require.Equal(t, 12, waiting)
	require.NoError(t, b.DB.QueryRow(t.Context(), `select waiting from products`).Scan(&waiting))
	require.Equal(t, 12, waiting)
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

func TestApply_linksEachEventToItsPredecessors(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"DESK","qty":9}`))
	applied := b.Do(command(1, "Allocate", `{"orderid":"o1","sku":"DESK","qty":9}`), command(1, "Allocate", `{"orderid":"o2","sku":"DESK","qty":9}`))
	require.Equal(t, b.Claims[0].Source.ID, applied.Rows[1][0].After.Source, "its predecessor came by the other partition")
	require.Zero(t, applied.Rows[1][1].After)
	applied = b.Do(command(0, "Deallocate", `{"orderid":"o1","sku":"DESK"}`))
	require.Equal(t, b.Claims[1].Source.ID, applied.Rows[0][0].After.Source)
	require.Equal(t, int64(1), applied.Rows[0][0].After.Row)

	rows, err := b.DB.Query(t.Context(), `
		with recursive history as (
			select o.* from lines l join outbox o on (o.source, o.row_no, o.day) = (l.last_source, l.last_row, l.last_day) where l.orderid = 'o2'
			union all
			select o.* from history h join outbox o on (o.source, o.row_no, o.day) = (h.previous_source, h.previous_row, h.previous_day))
		select type from history`)
	require.NoError(t, err)
	types, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"Allocated", "OutOfStock"}, types)
}

func (b *bench) isEmpty() {
	b.T.Helper()
	var n int
	require.NoError(b.T, b.DB.QueryRow(b.T.Context(), `select count(*) from products`).Scan(&n))
	require.Zero(b.T, n, "nothing of a fenced transaction may survive")
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
				for n := 0; b.generation("n1") == 0; n++ {
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

// generation is how often a batch's row left its page.
func (b *bench) generation(ref string) (n int64) {
	b.T.Helper()
	require.NoError(b.T, b.DB.QueryRow(b.T.Context(), `select generation from batches where ref = $1`, ref).Scan(&n))
	return n
}

func TestApply_rejectsAnAllocateAndKeepsItsDeadLetter(t *testing.T) {
	b := setup(t, 1)
	applied := b.Do(command(0, "Allocate", `{"orderid":"o1","sku":"NONE","qty":1}`))
	require.Equal(t, []string{"refused unknown_sku", `0 AllocationRejected {"orderid":"o1","sku":"NONE","qty":1,"reason":"unknown_sku"}`}, says(applied.Rows[0]))
	require.Equal(t, []worker.Outcome{{Result: worker.Refused, Reason: "unknown_sku"}}, applied.Outcomes)
	rows, err := b.Rows(t.Context(), b.Claims[0].Source, 0, 2)
	require.NoError(t, err)
	require.Equal(t, applied.Rows[0], rows)
}
