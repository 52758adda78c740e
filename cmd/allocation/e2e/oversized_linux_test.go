package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// hostile are batches that unpack to too much, and those that just do not.
func hostile() map[string]testbed.PackedBatch {
	zeros := func(n int) testbed.PackedRecord { return testbed.PackedRecord{Zeros: n} }
	batches := testbed.Bombs()
	for name, batch := range map[string]testbed.PackedBatch{
		"just small enough, zstd":   {Codec: kgo.CodecZstd, Records: testbed.Many(1, zeros(25<<20))},
		"just small enough, gzip":   {Codec: kgo.CodecGzip, Records: testbed.Many(1, zeros(25<<20))},
		"just small enough, lz4":    {Codec: kgo.CodecLz4, Records: testbed.Many(1, zeros(25<<20))},
		"just small enough, snappy": {Codec: kgo.CodecSnappy, Records: testbed.Many(1, zeros(19<<20))},
		"as many values":            {Codec: kgo.CodecZstd, Records: testbed.Many(8, zeros(3<<20))},
		"as many records":           {Codec: kgo.CodecZstd, Records: testbed.Many(600_000, testbed.PackedRecord{})},
		"as many headers":           {Codec: kgo.CodecZstd, Records: testbed.Many(1, testbed.PackedRecord{Headers: make([]kgo.RecordHeader, 700_000)})},
		"a fetch of small records":  {Codec: kgo.CodecNone, Records: testbed.Many(110_000, testbed.PackedRecord{})},
	} {
		batches[name] = batch
	}
	return batches
}

// pack sends a batch to a partition of the first topic, and returns its first offset.
func (a *arena) pack(batch testbed.PackedBatch, partition int32) int64 {
	a.t.Helper()
	at, _ := batch.Produce(a.t, strings.Split(a.brokers, ","), a.commands[0], partition)
	return at
}

// The program stays small whatever a producer sends within the brokers' limits.
func TestPromise7_staysSmallWhateverAProducerSends(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	const partitions = 4
	a := arenaOn(t, partitions, testbed.Migrated(t)).itself()
	for name, batch := range hostile() {
		for partition := range int32(partitions) {
			if len(batch.Records) > 1000 && partition > 0 && name != "many records" {
				continue // each is a dead letter
			}
			a.pack(batch, partition)
		}
	}
	worker := a.start("worker", "")
	a.staysSmall(worker, func() bool {
		positions := a.positions()
		for partition, end := range a.ends() {
			if positions[partition].NextOffset < end {
				return false
			}
		}
		return true
	})
	worker.stop()
}

// staysSmall looks at a worker's memory until something is so.
func (a *arena) staysSmall(worker *process, so func() bool) {
	a.t.Helper()
	most := 0
	await(a.t, 4*time.Minute, func() bool {
		most = max(most, residentMiB(a.t, worker.PID()))
		return so()
	}, "the worker is done")
	a.t.Logf("%d MiB at most", most)
	require.Less(a.t, most, maxWorkerMiB)
}

// The program stays small while it reads a batch again, however large that is, but for its largest
// record.
func TestPromise7_staysSmallWhileItReadsABatchAgain(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	const records = 150
	a := arenaOn(t, 1, testbed.Migrated(t)).itself()
	at := a.pack(testbed.PackedBatch{Codec: kgo.CodecZstd, Records: testbed.Many(records, testbed.PackedRecord{Zeros: 3 << 20})}, 0)
	worker := a.start("worker", "")
	await(t, time.Minute, func() bool { return a.count(`dead_letters where state = 'open'`) == 1 }, "the batch is a dead letter")
	a.subcommand("dlq", "retry", fmt.Sprintf("%s.0.%d", a.commands[0], at), "--max-bytes=1GiB", "--wait=0s")
	a.staysSmall(worker, func() bool { return a.count(`dead_letters where state = 'retried'`) == 1 })
	require.Equal(t, records, a.count(`dead_letters where reason = 'malformed'`))
	worker.stop()
}
