package products

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/pooler"
	"allocation/store"
	"allocation/worker"
)

func behindAPooler(t *testing.T, b *bench) string {
	t.Helper()
	p, err := pooler.New(b.URL)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p.URL()
}

// Two workers are given one session in turn, where each finds what the other prepared.
func TestApply_behindATransactionPoolerBlamesNoCommand(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	url := behindAPooler(t, b)
	said := map[bool]int{}
	for range 2 {
		s := b.OpenWith(store.Options{URL: url, Owner: "other"})
		for range 3 {
			transaction := b.Transaction(command(0, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, b.Offsets[0]))
			applied, err := s.Apply(t.Context(), transaction)
			said[err == nil]++
			if err == nil {
				b.Committed(transaction, applied)
				continue
			}
			require.ErrorIs(t, err, worker.ErrOutage)
			require.ErrorContains(t, err, "42P05", "what is prepared already")
		}
	}
	require.Positive(t, said[true], "the first worker does")
	require.Positive(t, said[false], "the second does not")
	b.Store = b.Open("past the pooler")
	b.Do(command(0, "Allocate", `{"orderid":"last","sku":"CHAIR","qty":1}`))
	require.Zero(t, b.Count(`select count(*) from dead_letters`))
}

func TestCheckPooler_tellsSessionsFromSharedOnes(t *testing.T) {
	b := setup(t, 0)
	require.NoError(t, b.CheckPooler(t.Context()))
	s := b.OpenWith(store.Options{URL: behindAPooler(t, b), MaxConns: 2})
	var refused *store.PoolerError
	require.ErrorAs(t, s.CheckPooler(t.Context()), &refused)
}
