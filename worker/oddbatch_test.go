package worker_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// oddBatch has records that give names, and are numbered as they say.
func oddBatch(codec kgo.CompressionCodecType, pack func([]byte) []byte, numbers ...int) testbed.OddBatch {
	var records []byte
	for i, number := range numbers {
		records = append(records, oddRecord(i).Encode(number)...)
	}
	return testbed.OddBatch{Codec: codec, Records: len(numbers), Packed: pack(records)}
}

func oddRecord(i int) testbed.PackedRecord {
	return packed(create("odd", fmt.Sprint("odd", i), 1))
}

func plain(records []byte) []byte { return records }

func gzipped(records []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(records)
	_ = w.Close()
	return out.Bytes()
}

func lz4ed(records []byte) []byte {
	var out bytes.Buffer
	w := lz4.NewWriter(&out) // with a checksum of the content
	_, _ = w.Write(records)
	_ = w.Close()
	return out.Bytes()
}

func xerial(records []byte) []byte {
	packed := snappy.Encode(nil, records)
	out := append([]byte("\x82SNAPPY\x00"), 0, 0, 0, 1, 0, 0, 0, 1)
	return append(binary.BigEndian.AppendUint32(out, uint32(len(packed))), packed...)
}

// oldZstd is a frame of zstd 0.7, with one block that is not compressed.
func oldZstd(records []byte) []byte {
	out := []byte{0x27, 0xb5, 0x2f, 0xfd, 0, 0, 1<<6 | byte(len(records)>>16), byte(len(records) >> 8), byte(len(records))}
	return append(append(out, records...), 3<<6, 0, 0)
}

// unpackable are batches that brokers can unpack, which are written in Java, and take.
func unpackable() map[string]testbed.OddBatch {
	behind := func(pack func([]byte) []byte, more string) func([]byte) []byte {
		return func(records []byte) []byte { return append(pack(records), more...) }
	}
	wrongSum := func(records []byte) []byte {
		packed := lz4ed(records)
		packed[len(packed)-1] ^= 1
		return packed
	}
	twice := func(records []byte) []byte { return append(xerial(records), xerial(nil)...) }
	reserved := func(records []byte) []byte {
		packed := gzipped(records)
		packed[3] = 0xe0
		return packed
	}
	return map[string]testbed.OddBatch{
		"gzip, bytes behind":      oddBatch(kgo.CodecGzip, behind(gzipped, "bytes behind the end of the stream"), 0, 1),
		"gzip, reserved flags":    oddBatch(kgo.CodecGzip, reserved, 0, 1),
		"lz4, bytes behind":       oddBatch(kgo.CodecLz4, behind(lz4ed, "xx"), 0, 1),
		"lz4, another checksum":   oddBatch(kgo.CodecLz4, wrongSum, 0, 1),
		"zstd 0.7":                oddBatch(kgo.CodecZstd, oldZstd, 0, 1),
		"snappy, bytes behind":    oddBatch(kgo.CodecSnappy, behind(xerial, "xx"), 0, 1),
		"snappy, one stream more": oddBatch(kgo.CodecSnappy, twice, 0, 1),
	}
}

// unreadable are batches of records that another reader than the brokers' does not take for
// records.
func unreadable() map[string]testbed.OddBatch {
	long := func(pack func([]byte) []byte, codec kgo.CompressionCodecType) testbed.OddBatch {
		records := slices.Concat(oddRecord(0).Encode(0), oddRecord(1).EncodeLong(1), oddRecord(2).Encode(2))
		return testbed.OddBatch{Codec: codec, Records: 3, Packed: pack(records)}
	}
	return map[string]testbed.OddBatch{"a length that is too long": long(plain, kgo.CodecNone), "a length that is too long, gzip": long(gzipped, kgo.CodecGzip)}
}

// misnumbered are batches whose records say that they have other offsets than Kafka gave them.
// Brokers look at that only where the batch is compressed.
func misnumbered() map[string]testbed.OddBatch {
	return map[string]testbed.OddBatch{
		"one of a later offset":   oddBatch(kgo.CodecNone, plain, 5),
		"the last of a later one": oddBatch(kgo.CodecNone, plain, 0, 4),
		"the largest there is":    oddBatch(kgo.CodecNone, plain, 0, 1<<31-1),
		"one offset for both":     oddBatch(kgo.CodecNone, plain, 0, 0),
		"the other way round":     oddBatch(kgo.CodecNone, plain, 1, 0),
		"before the batch":        oddBatch(kgo.CodecNone, plain, -3, 0),
	}
}

func TestPromise4_aBatchThatBrokersTakeAndNobodyCanUnpack(t *testing.T) {
	passOddBatches(t, unpackable())
}

func TestPromise8_aBatchWhoseRecordsCannotBeRead(t *testing.T) { passOddBatches(t, unreadable()) }

func TestPromise8_aBatchWhoseRecordsClaimOtherOffsets(t *testing.T) { passOddBatches(t, misnumbered()) }

// passOddBatches wants each batch to be one dead letter from its first record on that is not
// applied, and all others' commands to take effect, whether they come behind it before or after it
// was fetched. Each has a partition of its own.
func passOddBatches(t *testing.T, batches map[string]testbed.OddBatch) {
	p := setup(t, int32(len(batches)))
	names := slices.Sorted(maps.Keys(batches))
	ends := map[int32]int64{}
	for i, name := range names {
		odd, partition := batches[name], int32(i)
		p.sendNames(partition, 0, 1)
		odd.Produce(t, strings.Split(p.brokers, ","), p.commands, partition)
		p.sendNames(partition, 1, 10)
		ends[partition] = odd.Produce(t, strings.Split(p.brokers, ","), p.commands, partition) + int64(odd.Records)
	}
	m := p.start()
	p.awaitCommitted(ends)
	for i, name := range names {
		odd, partition := batches[name], int32(i)
		first, next := int64(1), ends[partition]-int64(odd.Records)
		p.requireOddLetters(name, odd, partition, first, next)
		p.sendNames(partition, 11, 1)
		p.awaitName(partition, 11)
		require.Equal(t, 12, p.number(`select value from counters where key = $1`, keyOf(partition)), "%s: all commands of others", name)
		p.awaitCommittedOf(p.commands, partition, ends[partition]+1)
	}
	require.Empty(t, m.NotReady(t.Context()))
	require.NoError(t, m.stop())
}

// requireOddLetters wants each record of a partition's batches at these offsets to be applied or in
// their dead letters, and no other letter.
func (p *pipeline) requireOddLetters(name string, odd testbed.OddBatch, partition int32, offsets ...int64) {
	p.t.Helper()
	const those = `select count(*) from dead_letters join positions using (source) where partition = $1`
	require.Equal(p.t, len(offsets), p.number(those, partition), name)
	for _, at := range offsets {
		last := at + int64(odd.Records) - 1
		require.Equal(p.t, 1, p.number(those+` and reason = 'unreadable' and command_offset between $2 and $3 and batch_last = $3 and batch_records = $4`,
			partition, at, last, odd.Records), name)
	}
}

// A record that claims another offset must not take effect under it when its batch is read again:
// the offset names its events.
func TestPromise1_aBatchWhoseRecordsClaimOtherOffsetsIsReadAgainUpToThere(t *testing.T) {
	p := setupRereading(t)
	at := misnumbered()["the last of a later one"].Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
	p.sendNames(0, 0, 6)
	m := p.start()
	testbed.Eventually(p.t, func() bool { return p.number(`select coalesce(max(next_offset), 0) from positions`) == 8 })
	p.retry(at+1, 1<<20)
	testbed.Eventually(p.t, func() bool {
		return p.number(`select count(*) from dead_letters where state = 'open' and batch_problem like '%a record says that it has offset 4, which cannot be'`) == 1
	})
	require.Equal(t, 7, p.number(`select count(*) from counter_names`))
	require.NoError(t, m.stop())
}
