package testbed

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// PackedBatch is a batch of records as a hostile producer makes it: a few bytes that unpack to
// many. No client library sends one.
type PackedBatch struct {
	Records []PackedRecord
	Codec   kgo.CompressionCodecType
}

// PackedRecord is a record of a PackedBatch.
type PackedRecord struct {
	Key, Value []byte // the value is followed by the zeros
	Zeros      int
	Headers    []kgo.RecordHeader
}

// Many are records of this kind.
func Many(n int, r PackedRecord) []PackedRecord {
	return slices.Repeat([]PackedRecord{r}, n)
}

// Bombs are batches within the brokers' limits that nobody has room for. Snappy packs 21 to 1 at
// most, so that there is none.
func Bombs() map[string]PackedBatch {
	zeros := func(n int) PackedRecord { return PackedRecord{Key: []byte("X"), Zeros: n} }
	return map[string]PackedBatch{
		"one value, zstd":        {Codec: kgo.CodecZstd, Records: Many(1, zeros(1_200<<20))},
		"one value, gzip":        {Codec: kgo.CodecGzip, Records: Many(1, zeros(100<<20))},
		"one value, lz4":         {Codec: kgo.CodecLz4, Records: Many(1, zeros(100<<20))},
		"many values":            {Codec: kgo.CodecZstd, Records: Many(300, zeros(3<<20))},
		"many records":           {Codec: kgo.CodecZstd, Records: Many(800_000, PackedRecord{})},
		"one record, many heads": {Codec: kgo.CodecZstd, Records: Many(1, PackedRecord{Headers: make([]kgo.RecordHeader, 2_000_000)})},
	}
}

// zerosAtOnce are packed together where the codec allows that packed parts follow each other.
const zerosAtOnce = 1 << 20

// Produce sends the batch to a partition, and returns its first offset and how many bytes it has.
func (b PackedBatch) Produce(t testing.TB, brokers []string, topic string, partition int32) (offset int64, size int) {
	t.Helper()
	offset, size, err := b.Send(t.Context(), brokers, topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	return offset, size
}

// Send is Produce for a program.
func (b PackedBatch) Send(ctx context.Context, brokers []string, topic string, partition int32) (offset int64, size int, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return 0, 0, fmt.Errorf("make Kafka client: %w", err)
	}
	defer client.Close()
	packed, err := b.encode()
	if err != nil {
		return 0, 0, err
	}
	if offset, err = produceRaw(ctx, client, topic, partition, packed); err != nil {
		return 0, 0, fmt.Errorf("produce a batch of %d bytes: %w", len(packed), err)
	}
	return offset, len(packed), nil
}

func produceRaw(ctx context.Context, client *kgo.Client, topic string, partition int32, batch []byte) (offset int64, err error) {
	topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
	if err != nil {
		return 0, err
	}
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, batch
	to := kmsg.NewProduceRequestTopic()
	to.Topic, to.TopicID, to.Partitions = topic, topics[topic].ID, []kmsg.ProduceRequestTopicPartition{p}
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis, req.Topics = -1, 60_000, []kmsg.ProduceRequestTopic{to}
	leader := topics[topic].Partitions[partition].Leader
	resp, err := client.Broker(int(leader)).RetriableRequest(ctx, req)
	if err != nil {
		return 0, err
	}
	answer := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return 0, fmt.Errorf("%w %v", err, answer.ErrorMessage)
	}
	return answer.BaseOffset, nil
}

// encode is the batch as Kafka has it.
func (b PackedBatch) encode() ([]byte, error) {
	packed, err := b.pack()
	if err != nil {
		return nil, err
	}
	return encodeBatch(b.Codec, len(b.Records), packed), nil
}

func encodeBatch(codec kgo.CompressionCodecType, records int, packed []byte) []byte {
	now := uint64(time.Now().UnixMilli())
	body := binary.BigEndian.AppendUint16(nil, uint16(codec))
	body = binary.BigEndian.AppendUint32(body, uint32(records-1))
	body = binary.BigEndian.AppendUint64(body, now)
	body = binary.BigEndian.AppendUint64(body, now)
	body = append(body, bytes.Repeat([]byte{0xff}, 14)...) // no producer id, epoch and sequence
	body = binary.BigEndian.AppendUint32(body, uint32(records))
	body = append(body, packed...)
	out := binary.BigEndian.AppendUint64(nil, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)+9))
	out = binary.BigEndian.AppendUint32(out, 0) // leader epoch
	out = append(out, 2)
	out = binary.BigEndian.AppendUint32(out, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(out, body...)
}

func (b PackedBatch) pack() (packed []byte, err error) {
	if b.Codec == kgo.CodecNone {
		for i, r := range b.Records {
			packed = append(packed, r.Encode(i)...)
		}
		return packed, nil
	}
	compressor, err := kgo.DefaultCompressor(codecOf(b.Codec))
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	var raw []byte
	pack := func() {
		var buffer bytes.Buffer
		out, _ := compressor.Compress(&buffer, raw)
		packed, raw = append(packed, out...), raw[:0]
	}
	var zeros []byte // packed
	if b.Codec == kgo.CodecZstd {
		var buffer bytes.Buffer
		zeros, _ = compressor.Compress(&buffer, make([]byte, zerosAtOnce))
		zeros = bytes.Clone(zeros)
	}
	for i, r := range b.Records {
		head, tail := r.encode(i)
		raw = append(raw, head...)
		left := r.Zeros
		if zeros != nil && left >= zerosAtOnce {
			pack()
			for ; left >= zerosAtOnce; left -= zerosAtOnce {
				packed = append(packed, zeros...)
			}
		}
		raw = append(append(raw, make([]byte, left)...), tail...)
	}
	pack()
	return packed, nil
}

// encode is the record without its zeros, which come between.
func (r *PackedRecord) encode(number int) (head, tail []byte) {
	body := []byte{0, 0} // attributes, time
	body = binary.AppendVarint(body, int64(number))
	body = appendBytes(body, r.Key)
	size := int64(-1)
	if n := len(r.Value) + r.Zeros; r.Value != nil || n > 0 {
		size = int64(n)
	}
	body = append(binary.AppendVarint(body, size), r.Value...)
	tail = binary.AppendVarint(nil, int64(len(r.Headers)))
	for _, h := range r.Headers {
		tail = appendBytes(appendBytes(tail, []byte(h.Key)), h.Value)
	}
	return append(binary.AppendVarint(nil, int64(len(body)+r.Zeros+len(tail))), body...), tail
}

func appendBytes(to, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(to, -1)
	}
	return append(binary.AppendVarint(to, int64(len(b))), b...)
}

func codecOf(codec kgo.CompressionCodecType) kgo.CompressionCodec {
	return map[kgo.CompressionCodecType]kgo.CompressionCodec{
		kgo.CodecGzip: kgo.GzipCompression(), kgo.CodecSnappy: kgo.SnappyCompression(), kgo.CodecLz4: kgo.Lz4Compression(), kgo.CodecZstd: kgo.ZstdCompression(),
	}[codec]
}
