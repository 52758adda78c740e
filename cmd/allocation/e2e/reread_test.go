package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// packedOrders is a batch of records that is too large: a product with so many orders, and among
// them what is no command.
func packedOrders(n int) testbed.PackedBatch {
	record := func(commandType, format string, args ...any) testbed.PackedRecord {
		return testbed.PackedRecord{Value: fmt.Appendf(nil, format, args...), Headers: typed(commandType)}
	}
	b := testbed.PackedBatch{Codec: kgo.CodecZstd, Records: []testbed.PackedRecord{record("CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, n), {Zeros: 33 << 20}}}
	for i := range n {
		b.Records = append(b.Records, record("Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, i))
	}
	return b
}

// The program is killed again and again while it reads a batch again, in its middle. The checker
// knows no such batches.
func TestPromise1_aBatchThatIsReadAgainByWorkersThatAreKilled(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	const orders = 4000
	a := setup(t, 1)
	batch := packedOrders(orders)
	at, _ := batch.Produce(t, []string{a.brokers}, a.commands[0], 0)
	end := at + int64(len(batch.Records))
	before := a.start("before", "")
	await(t, time.Minute, func() bool {
		return a.count(`dead_letters where reason = 'too_large' and state = 'open'`) == 1 && a.done()
	}, "the batch is a dead letter")
	before.stop()

	a.subcommand("dlq", "retry", fmt.Sprintf("%s.0.%d", a.commands[0], at), "--max-bytes=64MiB", "--wait=0s")
	reached := at
	for _, point := range []string{"write", "commit", "committed"} {
		worker := a.start(point, point+":3:kill")
		await(t, time.Minute, func() bool { return !worker.Running() }, "the worker dies")
		require.True(t, worker.reached(point) && worker.wasKilled())
		require.Equal(t, 1, a.count(`dead_letters where state = 'retrying' and batch_next > $1 and batch_next < $2`, reached, end), "killed in the middle, and further than before")
		require.NoError(t, a.db.QueryRow(t.Context(), `select batch_next from dead_letters where state = 'retrying'`).Scan(&reached))
	}
	last := a.start("last", "")
	await(t, time.Minute, func() bool { return a.count(`dead_letters where state = 'retried'`) == 1 && a.done() }, "the batch is read to its end, and published")
	last.stop()

	require.Equal(t, orders, a.count(`lines where state = 'allocated'`))
	require.Equal(t, 1, a.count(`batches where ref = 'b1' and allocated = $1`, orders))
	require.Equal(t, 1, a.count(`dead_letters where reason = 'malformed'`), "what is no command")
	require.Len(t, publishedBytes(t, a.history()), 1+orders, "BatchCreated, and Allocated for each order")
}
