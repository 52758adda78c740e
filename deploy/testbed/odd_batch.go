package testbed

import (
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// OddBatch is a batch of records that brokers take, though its bytes are not what a client library
// makes of records.
type OddBatch struct {
	Codec   kgo.CompressionCodecType
	Records int
	Packed  []byte
}

// Produce sends the batch to a partition, and returns its first offset.
func (b OddBatch) Produce(t testing.TB, brokers []string, topic string, partition int32) (offset int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if offset, err = produceRaw(t.Context(), client, topic, partition, encodeBatch(b.Codec, b.Records, b.Packed)); err != nil {
		t.Fatal(err)
	}
	return offset
}

// Encode is the record as it is in a batch, where it says that it has this number.
func (r PackedRecord) Encode(number int) []byte {
	head, tail := r.encode(number)
	return append(append(head, make([]byte, r.Zeros)...), tail...)
}

// EncodeLong is Encode with a length of five bytes, whose last one has more bits than a length can
// have. Brokers do not mind.
func (r PackedRecord) EncodeLong(number int) []byte {
	record := r.Encode(number)
	length, used := binary.Varint(record)
	long, left := make([]byte, binary.MaxVarintLen32), uint64(length)<<1
	for i := range long {
		long[i] = byte(left)&0x7f | 0x80
		left >>= 7
	}
	long[len(long)-1] = 0x70
	return append(long, record[used:]...)
}
