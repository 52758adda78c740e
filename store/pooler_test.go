package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/pooler"
	"allocation/worker"
)

func behindAPooler(t *testing.T, b *bench) string {
	t.Helper()
	p, err := pooler.New(b.url)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p.URL()
}

// Two workers are given one session in turn, where each finds what the other prepared.
func TestApply_behindATransactionPoolerBlamesNoCommand(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	url := behindAPooler(t, b)
	said := map[bool]int{}
	for range 2 {
		s, err := Open(t.Context(), Options{Service: Products, URL: url, Owner: "other"})
		require.NoError(t, err)
		t.Cleanup(s.Close)
		for range 3 {
			batch := b.batch(command(0, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, b.offset[0]))
			applied, err := s.Apply(t.Context(), batch)
			said[err == nil]++
			if err == nil {
				b.committed(batch, applied)
				continue
			}
			require.ErrorIs(t, err, worker.ErrOutage)
			require.ErrorContains(t, err, "42P05", "what is prepared already")
		}
	}
	require.Positive(t, said[true], "the first worker does")
	require.Positive(t, said[false], "the second does not")
	b.Store = b.open("past the pooler")
	b.apply(command(0, "Allocate", `{"orderid":"last","sku":"CHAIR","qty":1}`))
	require.Zero(t, b.count(`select count(*) from dead_letters`))
}

func TestCheckPooler_tellsSessionsFromSharedOnes(t *testing.T) {
	b := setup(t, 0)
	require.NoError(t, b.CheckPooler(t.Context()))
	s, err := Open(t.Context(), Options{Service: Products, URL: behindAPooler(t, b), MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	var refused *PoolerError
	require.ErrorAs(t, s.CheckPooler(t.Context()), &refused)
}
