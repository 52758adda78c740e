package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/worker"
)

// With Config.CatchUpTime, an applier spreads its backlog: with a database that is slow, one of two
// seconds over five.
func TestWorker_restsWhileItCatchesUp(t *testing.T) {
	p := setup(t, 1)
	p.maxBatch, p.catchUp = 100, 5*time.Second
	p.createEach(1)
	backlog := make([]*kgo.Record, 5000)
	for i := range backlog {
		backlog[i] = add(keyOf(0), fmt.Sprint("o", i))
		backlog[i].Timestamp = time.Now().Add(-time.Minute)
	}
	p.send(0, backlog...)
	began := sync.OnceValue(time.Now)
	p.startFaulty(func(ctx context.Context, real worker.Store, of worker.Transaction) (worker.Applied, error) {
		began()
		<-time.After(time.Duration(len(of.Commands)) * 400 * time.Microsecond) // a slow database
		return real.Apply(ctx, of)
	})
	p.awaitAllCommitted()
	p.checkAdded(5000)
	require.Greater(t, time.Since(began()), 4500*time.Millisecond)
}

// A large record batch is unpacked while a backlog rests that fills the memory beside it.
func TestWorker_makesRoomForALargeBatchWhereOthersRest(t *testing.T) {
	p := setup(t, 2)
	p.catchUp = time.Hour
	p.createEach(2)
	padded := func(n int32, name string, bytes int) *kgo.Record {
		r := add(keyOf(n), name)
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "pad", Value: make([]byte, bytes)})
		return r
	}
	backlog := make([]*kgo.Record, 3200)
	for i := range backlog {
		backlog[i] = padded(0, fmt.Sprint("o", i), 16<<10)
		backlog[i].Topic, backlog[i].Timestamp = p.commands, time.Now().Add(-time.Minute)
	}
	producer := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	require.NoError(t, producer.ProduceSync(t.Context(), backlog...).FirstErr())
	p.startFaulty(func(ctx context.Context, real worker.Store, of worker.Transaction) (worker.Applied, error) {
		<-time.After(time.Duration(len(of.Commands)) * 3 * time.Millisecond) // what besideLarge is of takes more than atOnce
		return real.Apply(ctx, of)
	})
	p.awaitCommitted(map[int32]int64{1: 1})
	applied := func() int { return p.number(`select next_offset from positions where partition = 0`) }
	testbed.Eventually(t, func() bool { return applied() > 50 })
	large := make([]testbed.PackedRecord, 20)
	for i := range large {
		large[i] = packed(padded(1, fmt.Sprint("large", i), 1<<20))
	}
	p.pack(1, kgo.CodecZstd, large...)
	p.awaitCommitted(map[int32]int64{1: 1 + int64(len(large))})
	require.Less(t, applied(), len(backlog), "it did not wait for all of the backlog")
}
