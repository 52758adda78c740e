package worker

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// packedRecords unpacks a batch of records one by one, so that no more of it is in memory than the
// record that is read.
type packedRecords struct {
	batch *kmsg.RecordBatch
	last  int64 // offset
	left  int32 // records
	delta int32 // how far behind the batch's first offset the next record is, at least
	codec string
	in    *bufio.Reader
	close func()
}

// largeRecord is a record that is left packed because it is too large by itself.
type largeRecord struct {
	offset, time int64
	bytes        int64
}

// recordMost is what one record may have when its batch is read again: its bytes, and the memory of
// its headers. Several copies of it are made, and Postgres takes no value of 1 GiB.
const recordMost = 256 << 20

// errRoom says that a batch unpacks to more than the operator allowed.
var errRoom = errors.New("it unpacks to more than is allowed")

// unpack begins to unpack a batch, which may have so many bytes.
func unpack(b *kmsg.RecordBatch, room int64) (*packedRecords, error) {
	codec := kgo.CompressionCodecType(b.Attributes & 7)
	p := &packedRecords{batch: b, last: b.FirstOffset + int64(b.LastOffsetDelta), left: b.NumRecords, codec: codecs[codec], close: func() {}}
	unpacked, err := p.unpacked(codec, room)
	if err != nil {
		return nil, err
	}
	const buffer = 64 << 10
	p.in = bufio.NewReaderSize(&bounded{unpacked, room}, buffer)
	return p, nil
}

func (p *packedRecords) unpacked(codec kgo.CompressionCodecType, room int64) (io.Reader, error) {
	packed := bytes.NewReader(p.batch.Records)
	switch codec {
	case kgo.CodecNone:
		return packed, nil
	case kgo.CodecGzip:
		return gzip.NewReader(packed)
	case kgo.CodecLz4:
		return lz4.NewReader(packed), nil
	case kgo.CodecZstd:
		const window = 128 << 20 // the largest that zstd's own program takes by itself
		d, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
		if err == nil {
			p.close = d.Close
		}
		return d, err
	case kgo.CodecSnappy: // it unpacks to 21 times its size at most, and has no other form
		d, err := newDecompressor(int(min(room, 1<<30)))
		if err != nil {
			return nil, err
		}
		unpacked, err := d.Decompress(p.batch.Records, codec)
		if errors.Is(err, kgo.ErrMaxDecompress) {
			err = errRoom
		}
		return bytes.NewReader(unpacked), err
	}
	return nil, fmt.Errorf("its codec %d is not known", codec)
}

// bounded gives an error instead of what is beyond its room.
type bounded struct {
	in   io.Reader
	room int64
}

func (b *bounded) Read(to []byte) (int, error) {
	n, err := b.in.Read(to)
	if b.room -= int64(n); b.room < 0 {
		return 0, errRoom
	}
	return n, err
}

// next is the next record, or what is known of one that is too large; io.EOF behind the last.
func (p *packedRecords) next() (*kgo.Record, *largeRecord, error) {
	if p.left <= 0 {
		return nil, nil, io.EOF
	}
	p.left--
	length, err := binary.ReadVarint(p.in)
	if err != nil || length < 0 {
		return nil, nil, p.broken(err)
	}
	if length > recordMost {
		large, err := p.skip(length)
		return nil, large, err
	}
	var body bytes.Buffer
	body.Write(binary.AppendVarint(nil, length))
	begin := body.Len()
	if _, err := io.CopyN(&body, p.in, length); err != nil { // it grows with what comes, whatever the length says
		return nil, nil, p.broken(err)
	}
	raw := body.Bytes()
	if cost := length + int64(headersIn(raw[begin:]))*headerCost; cost > recordMost {
		large, err := p.large(raw[begin:], cost)
		return nil, large, err
	}
	var r kmsg.Record
	if err := r.ReadFrom(raw); err != nil {
		return nil, nil, p.broken(err)
	}
	if err := p.follow(r.OffsetDelta); err != nil {
		return nil, nil, err
	}
	return p.record(&r), nil, nil
}

// follow refuses a record that claims an offset that Kafka did not give it.
func (p *packedRecords) follow(delta int32) error {
	if delta < p.delta || delta > p.batch.LastOffsetDelta-p.left {
		return fmt.Errorf("%w: a record says that it has offset %d, which cannot be", errBroken, p.batch.FirstOffset+int64(delta))
	}
	p.delta = delta + 1
	return nil
}

// skip leaves out a record but for where and when it was.
func (p *packedRecords) skip(length int64) (*largeRecord, error) {
	const head = 1 + 2*binary.MaxVarintLen64
	begin, err := p.in.Peek(head)
	if err != nil {
		return nil, p.broken(err)
	}
	large, err := p.large(begin, length)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, p.in, length); err != nil {
		return nil, p.broken(err)
	}
	return large, nil
}

func (p *packedRecords) large(begin []byte, length int64) (*largeRecord, error) {
	b := kbin.Reader{Src: begin}
	b.Int8() // attributes
	later, delta := b.Varlong(), b.Varint()
	if !b.Ok() {
		return nil, p.broken(b.Complete())
	}
	if err := p.follow(delta); err != nil {
		return nil, err
	}
	return &largeRecord{offset: p.batch.FirstOffset + int64(delta), time: p.time(later).UnixMilli(), bytes: length}, nil
}

func (p *packedRecords) record(r *kmsg.Record) *kgo.Record {
	out := &kgo.Record{
		Offset: p.batch.FirstOffset + int64(r.OffsetDelta), Timestamp: p.time(r.TimestampDelta64), Key: r.Key, Value: r.Value, LeaderEpoch: -1,
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return out
}

func (p *packedRecords) time(later int64) time.Time {
	if p.batch.Attributes&8 != 0 { // the brokers' time
		return time.UnixMilli(p.batch.MaxTimestamp)
	}
	return time.UnixMilli(p.batch.FirstTimestamp + later)
}

func (p *packedRecords) broken(err error) error {
	switch {
	case errors.Is(err, errRoom):
		return errRoom
	case err == nil || errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: with %d records left, %w", errBroken, p.left+1, err)
}

// errBroken says that a batch holds no records that could be read.
var errBroken = errors.New("what it unpacks to are no records")
