package products

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/worker"
)

// A refusal of what does not exist, and the making of it, could each come before the other by way
// of a third transaction, although each checks what it relied on.
func TestApply_whoReliesOnAnAbsenceAndWhoMakesSomethingWaitForEachOther(t *testing.T) {
	const (
		makes  = `select save_products('{LAMP}', '{0}', '{1}', '{0}', '{9}', '{0}', '{}', true)`
		relies = `select save_products('{LAMP}', '{0}', '{0}', '{0}', '{9}', '{0}', '{}', false)`
	)
	for name, c := range map[string]struct {
		other, mine string
		data        string
		then        error
		outcome     string
	}{
		"a product that is being made": {other: makes, mine: "Allocate", data: `{"orderid":"o1","sku":"LAMP","qty":1}`, then: worker.ErrConflict},
		"one that is missed":           {other: relies, mine: "CreateBatch", data: `{"ref":"b1","sku":"LAMP","qty":1}`, outcome: "changed"},
		"a batch that is missed":       {other: makes, mine: "ChangeBatchEta", data: `{"batchref":"b1"}`, outcome: "refused"},
		"nothing of the kind":          {other: relies, mine: "Allocate", data: `{"orderid":"o1","sku":"LAMP","qty":1}`, outcome: "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 1)
			tx, err := b.Connect().Begin(t.Context())
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), c.other)
			require.NoError(t, err)

			type result struct {
				worker.Applied
				err error
			}
			done := make(chan result, 1)
			go func() {
				applied, err := b.Apply(t.Context(), b.Transaction(command(0, c.mine, "%s", c.data)))
				done <- result{applied, err}
			}()
			if name != "nothing of the kind" {
				b.awaitWaiting()
				require.Empty(t, done, "it waits")
				require.NoError(t, tx.Commit(t.Context()))
			}
			got := <-done
			require.ErrorIs(t, got.err, c.then)
			if c.then == nil {
				require.Equal(t, []string{c.outcome}, results(got.Applied))
			}
		})
	}
}

// awaitWaiting returns when somebody waits for the lock on absences. The other transaction must go
// on within two seconds: then it is ended.
func (b *bench) awaitWaiting() {
	b.T.Helper()
	testbed.Eventually(b.T, func() bool {
		return storetest.Ask[bool](b.Bench,
			`select exists (select from pg_locks where relation = 'absences'::regclass and not granted and database = (select oid from pg_database where datname = current_database()))`)
	})
}
