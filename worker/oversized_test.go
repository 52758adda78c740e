package worker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// pack sends a batch of records to a partition, and returns its first offset.
func (p *pipeline) pack(partition int32, codec kgo.CompressionCodecType, records ...testbed.PackedRecord) (offset int64, size int) {
	p.t.Helper()
	return testbed.PackedBatch{Records: records, Codec: codec}.Produce(p.t, strings.Split(p.brokers, ","), p.commands, partition)
}

// packed is a command as a record of a batch.
func packed(r *kgo.Record) testbed.PackedRecord {
	return testbed.PackedRecord{Value: r.Value, Headers: r.Headers}
}

func TestPromise4_aBatchThatUnpacksToTooMuch(t *testing.T) {
	for name, bomb := range testbed.Bombs() {
		t.Run(name, func(t *testing.T) {
			p := setup(t, 2)
			p.send(0, create("a", "first", 50))
			at, size := bomb.Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
			p.send(0, add("a", "o1"))
			p.send(1, create("b", "other", 50))
			m := p.start()
			last := at + int64(len(bomb.Records)) - 1
			p.awaitCommitted(map[int32]int64{0: last + 2, 1: 1})
			var letters []*kgo.Record
			for _, r := range p.await(4) {
				if r.Topic == p.letters {
					letters = append(letters, r)
				}
			}
			require.Len(t, letters, 1, "one dead letter for the batch")
			letter := letters[0]
			require.Nil(t, letter.Value)
			for key, value := range map[string]string{
				"dlq-reason": "too_large", "dlq-original-topic": p.commands, "dlq-original-partition": "0", "dlq-original-offset": fmt.Sprint(at),
				"dlq-batch-last-offset": fmt.Sprint(last), "dlq-batch-records": fmt.Sprint(len(bomb.Records)), "dlq-batch-bytes": fmt.Sprint(size),
			} {
				require.Equal(t, value, header(letter, key), key)
			}
			testbed.Eventually(p.t, func() bool { return len(m.NotReady(t.Context())) == 0 && len(m.Notes()) == 0 })
			require.NoError(t, m.stop())
		})
	}
}

// What its producer aborted is no command, and too large a batch of it no dead letter.
func TestPromise4_aBatchThatUnpacksToTooMuchAndWasAborted(t *testing.T) {
	p := setup(t, 1)
	producer := p.kafka(kgo.TransactionalID(p.commands), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.ZstdCompression()),
		kgo.ProducerBatchMaxBytes(64<<20), kgo.StreamingCompression(), kgo.MaxProduceRequestsInflightPerBroker(1))
	require.NoError(t, producer.BeginTransaction())
	require.NoError(t, producer.ProduceSync(t.Context(), &kgo.Record{Topic: p.commands, Value: make([]byte, 32<<20)}).FirstErr())
	require.NoError(t, producer.EndTransaction(t.Context(), kgo.TryAbort))
	p.send(0, create("a", "first", 50))
	m := p.start()
	require.Equal(t, p.events, p.await(1)[0].Topic)
	p.awaitCommitted(map[int32]int64{0: 3})
	require.NoError(t, m.stop())
}

// Of batches that are each small enough, no more is unpacked at once than there is room for.
func TestPromise7_manyBatchesThatUnpackToMuch(t *testing.T) {
	testbed.Long(t)
	p := setup(t, 2)
	sizes := 0
	for range 8 {
		for partition := range int32(2) {
			_, size := p.pack(partition, kgo.CodecZstd, testbed.Many(4, testbed.PackedRecord{Zeros: 3 << 20})...)
			sizes += size
		}
	}
	require.Less(t, sizes, 256<<10, "all come in one fetch")
	m := p.start()
	testbed.Eventually(p.t, func() bool { return p.number(`select count(*) from dead_letters where reason = 'malformed'`) == 64 })
	p.awaitCommitted(map[int32]int64{0: 32, 1: 32})
	require.NoError(t, m.stop())
}

// Producers in Java fill a batch until it has 1 MB packed. Commands of one key, in a loop, pack
// very well.
func TestPromise4_aBatchOfAsManyCommandsAsALegalProducerPacks(t *testing.T) {
	p := setup(t, 1)
	p.send(0, create("counter-0001", "first", 50))
	records := make([]testbed.PackedRecord, 160_000)
	for i := range records { // all are repeats, which have no event
		records[i] = packed(create("counter-0001", "first", (i*i)%1000))
		records[i].Key = []byte("counter-0001")
	}
	p.pack(0, kgo.CodecZstd, records...)
	m := p.start()
	testbed.Eventually(p.t, func() bool {
		return p.number(`select coalesce(sum(next_offset), 0) from positions`) == 1+len(records)
	})
	require.Zero(t, p.number(`select count(*) from dead_letters`))
	p.await(1)
	require.NoError(t, m.stop())
}
