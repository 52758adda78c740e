package worker

import (
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Bounds of what fetched batches of records unpack to. A few bytes can unpack to gigabytes, a
// fetch has room for thousands of such batches, and a record of 7 bytes costs 200 of memory: so
// the cost of all that is unpacked is bounded, not its size alone, nor that of each batch.
//
// A legal batch must pass. Clients in Java fill batches up to their packed size: of 1 MB, the
// default limit, counts of one batch of stock in a loop unpack to 15.3 MiB in zstd, 9 in lz4, at a
// cost of 56 MiB. The very same command 305,764 times has 30.0 MiB, at 111.
const (
	batchUnpacked = 32 << 20  // bytes of one batch; more is a dead letter
	batchCost     = 128 << 20 // what one batch may cost in memory; more is a dead letter
	largeBatch    = 4 << 20   // bytes; a larger batch is unpacked only where little else is in memory
	largeCost     = 16 << 20  // likewise
	besideLarge   = 16 << 20  // cost of what may be in memory beside a large one
	unpackedMost  = 64 << 20  // cost of all, above which nothing more is unpacked

	recordCost = 192 // of a kgo.Record, and where it is pointed to from
	headerCost = 40  // of a kgo.RecordHeader
	copiesMade = 4   // at most, of a record and its headers, on the way to a dead letter
)

// errNoRoom says that a batch is to be fetched again when others are applied.
var errNoRoom = errors.New("too much that was unpacked is not applied yet")

// leftPackedError says which batch is never unpacked. It is not the client's own error for that:
// with it the client would stand still for good, also where the partition is paused and does not
// hear of it.
type leftPackedError struct {
	bytes      int    // packed
	sum        uint32 // of them
	unreadable string // why it cannot be unpacked; empty: it is too large
}

func (e *leftPackedError) Error() string { return "it " + e.says() }

func (e *leftPackedError) says() string {
	if e.unreadable != "" {
		return "cannot be unpacked (" + e.unreadable + ")"
	}
	return "unpacks to more than a worker has room for"
}

func leftPacked(packed []byte, unreadable string) *leftPackedError {
	return &leftPackedError{bytes: len(packed), sum: crc32.ChecksumIEEE(packed), unreadable: unreadable}
}

// is reports whether a batch is the one that is meant.
func (e *leftPackedError) is(packed []byte) bool {
	return e.bytes == len(packed) && e.sum == crc32.ChecksumIEEE(packed)
}

// unpacker unpacks fetched batches within bounds. What it unpacked counts until the garbage
// collector has taken it: each record holds the bytes of its batch, and so does all that is made
// of them.
type unpacker struct {
	mu           sync.Mutex // one batch at a time, whatever the number of brokers
	small, large kgo.Decompressor
	collected    time.Time

	unpacking atomic.Int32 // batches that are unpacked, or wait for it

	alive atomic.Int64 // cost of what is in memory
	idle  atomic.Bool  // all that came is applied: the next batch is unpacked, whatever holds memory yet
}

func newUnpacker() (*unpacker, error) {
	small, err := newDecompressor(largeBatch)
	if err != nil {
		return nil, err
	}
	large, err := newDecompressor(batchUnpacked)
	if err != nil {
		return nil, err
	}
	return &unpacker{small: small, large: large}, nil
}

// newDecompressor is a client's own decompressor with a bound. Only a client makes one.
func newDecompressor(most int) (kgo.Decompressor, error) {
	client, err := kgo.NewClient(kgo.MaxDecompressBatchBytes(most), kgo.WithPools(freshBytes{}))
	if err != nil {
		return nil, fmt.Errorf("make decompressor of %d bytes: %w", most, err)
	}
	defer client.Close()
	d, ok := client.OptValue(kgo.WithDecompressor).(kgo.Decompressor)
	if !ok {
		return nil, errors.New("the Kafka client has no decompressor")
	}
	return d, nil
}

// freshBytes has the client put each batch in memory of its own, and each record hold it.
type freshBytes struct{}

var _ kgo.PoolDecompressBytes = freshBytes{}

// GetDecompressBytes gives nothing, so that the memory is new.
func (freshBytes) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte { return nil }

// PutDecompressBytes leaves the memory to the garbage collector.
func (freshBytes) PutDecompressBytes([]byte) {}

// Decompress unpacks a batch, or gives errNoRoom or a *leftPackedError. Brokers unpack it too when
// they take it, with other libraries, which forgive more.
func (u *unpacker) Decompress(packed []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	u.unpacking.Add(1)
	defer u.unpacking.Add(-1)
	u.mu.Lock()
	defer u.mu.Unlock()
	beside := u.alive.Load()
	if beside >= besideLarge && u.idle.Swap(false) {
		beside = 0
	}
	if beside >= unpackedMost {
		return nil, u.full()
	}
	unpacked, err := u.small.Decompress(packed, codec)
	if errors.Is(err, kgo.ErrMaxDecompress) {
		if beside >= besideLarge {
			return nil, u.full()
		}
		unpacked, err = u.large.Decompress(packed, codec)
	}
	if errors.Is(err, kgo.ErrMaxDecompress) {
		return nil, leftPacked(packed, "")
	}
	if err != nil {
		return nil, leftPacked(packed, err.Error())
	}
	switch cost := costOf(unpacked); {
	case cost > batchCost:
		return nil, leftPacked(packed, "")
	case cost > largeCost && beside >= besideLarge:
		return nil, u.full()
	default:
		u.count(unpacked, cost)
	}
	return unpacked, nil
}

// count counts a batch for as long as it is in memory.
func (u *unpacker) count(unpacked []byte, cost int64) {
	if len(unpacked) == 0 {
		return
	}
	u.alive.Add(cost)
	runtime.AddCleanup(&unpacked[0], func(cost int64) { u.alive.Add(-cost) }, cost)
}

// full has garbage collected that counts still, now and then.
func (u *unpacker) full() error {
	const often = 100 * time.Millisecond
	if time.Since(u.collected) >= often {
		runtime.GC()
		u.collected = time.Now()
	}
	return errNoRoom
}

// costOf is what the records of a batch cost in memory: all of them, and what is made of the
// largest. What cannot be read of them costs nothing more.
func costOf(unpacked []byte) int64 {
	records, headers, largest := 0, 0, 0
	for rest := unpacked; len(rest) > 0; records++ {
		length, used := kbin.Varint(rest)
		end := used + int(length)
		if used <= 0 || length < 0 || end > len(rest) {
			break
		}
		n := headersIn(rest[used:end])
		headers += n
		largest = max(largest, int(length)+n*headerCost)
		rest = rest[end:]
	}
	return int64(cap(unpacked)) + int64(records)*recordCost + int64(headers)*headerCost + copiesMade*int64(largest)
}

// headersIn is how many headers a record has; 0 where it cannot be read. It runs for each record
// that is fetched, so it decodes only the lengths that it needs.
func headersIn(record []byte) int {
	at := afterVarint(record, afterVarint(record, 1)) // attributes, time, offset
	for range 2 {                                     // key, value
		length, used := varint(record, at)
		at += used
		if length > 0 {
			at += length
		}
	}
	headers, _ := varint(record, at)
	if headers < 0 || headers > len(record)-at { // each has two lengths
		return 0
	}
	return headers
}

// afterVarint is where the varint at a place ends.
func afterVarint(b []byte, at int) int {
	for at < len(b) && b[at] >= 0x80 {
		at++
	}
	return at + 1
}

// varint reads the varint at a place; 0 where there is none.
func varint(b []byte, at int) (value, used int) {
	if at >= len(b) {
		return 0, 0
	}
	if first := b[at]; first < 0x80 {
		return int(first>>1) ^ -int(first&1), 1
	}
	v, used := kbin.Varint(b[at:])
	if used <= 0 {
		return 0, 0
	}
	return int(v), used
}
