package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestRetry_killedAt: a retry takes effect once, whatever its worker was doing when it was killed.
func TestRetry_killedAt(t *testing.T) {
	for _, point := range []string{"write", "pipeline", "commit", "committed", "produced"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			a := setup(t, 1)
			before := a.start("before", "")
			a.produce("Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)
			a.produce("CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`)
			await(t, 30*time.Second, a.done, "the commands are applied")
			before.stop()

			id := a.commands[0] + ".0.0"
			a.subcommand("dlq", "retry", id, "--wait=0s")
			first := a.start("first", point+":1:kill")
			await(t, 30*time.Second, func() bool { return !first.Running() }, "the worker dies")
			require.True(t, first.reached(point) && first.wasKilled())
			second := a.start("second", "")
			await(t, 30*time.Second, func() bool { return strings.Contains(a.subcommand("dlq", "list", "--state=retried"), id) && a.done() }, "the retry is done and published")
			second.stop()

			var allocated, decisions int
			require.NoError(t, a.db.QueryRow(t.Context(), `
select count(*) filter (where type = 'Allocated'), count(*) filter (where type = 'dlq-retried') from outbox`).Scan(&allocated, &decisions))
			require.Equal(t, []int{1, 1}, []int{allocated, decisions})
			require.Len(t, publishedBytes(t, a.history()), 3, "AllocationRejected, BatchCreated, Allocated")
		})
	}
}

// produce sends a command to the first partition.
func (a *arena) produce(commandType, data string) {
	a.t.Helper()
	r := &kgo.Record{Topic: a.commands[0], Value: []byte(data), Headers: typed(commandType)}
	require.NoError(a.t, a.client.ProduceSync(a.t.Context(), r).FirstErr())
}
