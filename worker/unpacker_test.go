package worker

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// encodedRecord is a record as a batch has it, without its length.
func encodedRecord(offset, key, value, headers int) []byte {
	r := kmsg.Record{OffsetDelta: int32(offset), TimestampDelta64: int64(offset) << 8, Key: make([]byte, key), Value: make([]byte, value)}
	for range headers {
		r.Headers = append(r.Headers, kmsg.Header{Key: "content-type", Value: []byte("application/json")})
	}
	raw := r.AppendTo(nil)
	_, used := binary.Varint(raw)
	return raw[used:]
}

func TestHeadersIn_countsThem(t *testing.T) {
	for _, n := range []int{0, 1, 5, 63, 64, 1000} {
		for _, size := range []int{0, 1, 63, 64, 8191, 8192, 100_000} {
			require.Equal(t, n, headersIn(encodedRecord(size, size, size, n)), "key and value of %d bytes", size)
		}
	}
}

func TestHeadersIn_believesNoRecordThatCannotBeRead(t *testing.T) {
	whole := encodedRecord(3, 5, 40, 7)
	for end := range whole {
		require.LessOrEqual(t, headersIn(whole[:end]), 7, "cut at %d", end)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 100_000 {
		garbage := make([]byte, random.IntN(40))
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
		require.LessOrEqual(t, headersIn(garbage), len(garbage), "seed %d: %x", seed, garbage)
	}
}

func BenchmarkCostOf(b *testing.B) {
	var batch []byte
	for n := range 1000 {
		r := encodedRecord(n, 12, 80, 5)
		batch = append(binary.AppendVarint(batch, int64(len(r))), r...)
	}
	b.SetBytes(int64(len(batch)))
	for b.Loop() {
		costOf(batch)
	}
}
