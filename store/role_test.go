package store

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// asWorker opens a store in the role that workers act in.
func (b *bench) asWorker() *Store {
	b.t.Helper()
	u, err := url.Parse(b.url)
	require.NoError(b.t, err)
	q := u.Query()
	q.Set("role", "allocation_worker")
	u.RawQuery = q.Encode()
	s, err := Open(b.t.Context(), Options{URL: u.String(), Owner: "worker"})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

func TestRole_canDoWhatAWorkerDoesAndNoMore(t *testing.T) {
	b := setup(t, 0)
	b.Store = b.asWorker()
	require.NoError(t, b.CheckSchema(t.Context()))
	require.NoError(t, b.CheckCluster(t.Context(), "cluster", "group"))
	b.claims, b.offset, b.rows = b.claim(b.Store, 1), []int64{0}, []int64{0}
	b.apply(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		command(0, "Allocate", `{}`),
	)
	b.apply(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":1}`), command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`))
	_, err := b.Rows(t.Context(), b.claims[0].Source, 0, b.rows[0])
	require.NoError(t, err)
	lost, err := b.SavePublished(t.Context(), []worker.Progress{{Source: b.claims[0].Source.ID, Token: b.claims[0].Token, Published: 1}})
	require.NoError(t, err)
	require.Empty(t, lost)
	require.NoError(t, b.Nudge(t.Context(), []int32{1}))
	_, err = b.Maintain(t.Context(), 7*24*time.Hour)
	require.NoError(t, err)

	for _, forbidden := range []string{
		`delete from lines`, `delete from positions`, `delete from outbox`, `update outbox set value = ''`, `delete from dead_letters`,
		`update kafka_cluster set consumer_group = 'x'`, `drop table outbox`, `truncate products`, `create table x ()`, `update goose_db_version set version_id = 0`,
	} {
		_, err := b.pool.Exec(t.Context(), forbidden)
		require.ErrorContains(t, err, "42501", forbidden)
	}
}
