package worker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/outbox"
)

// oversized is a batch of records that unpacks to more than a worker has room for, or cannot be
// read. The partition is paused before it. What its header says becomes one dead letter, and the
// partition goes on behind.
type oversized struct {
	from    int64 // it is the batch that is meant behind this offset
	which   *leftPackedError
	header  *batchHeader // nil: it is not read yet
	cancel  func()       // ends the goroutine that reads it
	skipped bool         // it is committed: the poll loop sets the fetch position
}

func (o *oversized) drop() {
	if o != nil {
		o.cancel()
	}
}

// batchHeader is what a batch says of itself without being unpacked.
type batchHeader struct {
	outbox.RecordBatch
	first   int64
	epoch   int32 // of its leader
	time    int64 // of its first record, in Unix milliseconds; outbox.NoTime where it has none
	aborted bool  // by its producer, or it has markers alone: its records are no commands
	alone   int64 // it stands for one record, which costs so much when the batch is read again; else 0

	unreadable string // why its records cannot be read; empty: they are too large
}

// errNoTopic says that a topic was deleted, and perhaps made again.
var errNoTopic = errors.New("the topic was deleted")

// errBadHeader says that nobody can tell where a batch ends.
var errBadHeader = errors.New("its header cannot be read")

// foundOversized has the header of a batch read that the client cannot unpack. The caller holds mu.
func (w *Worker) foundOversized(p *partition, which *leftPackedError) {
	if p.oversized != nil {
		return
	}
	if !p.takesRecords() {
		w.pauseFetch(p, failedFirst, time.Now())
		return
	}
	source, o := p.claim.Source, &oversized{from: p.queue.end, which: which}
	p.oversized = o
	o.cancel = w.askLog(func(ctx context.Context) func() bool {
		header, err := findHeader(ctx, w.client, source, o.from, o.which)
		return func() bool { return p.oversized != o || w.gotOversizedHeader(p, header, err) }
	})
	w.flow(p)
}

// gotOversizedHeader notes the answer, and reports whether it is one. The caller holds mu.
func (w *Worker) gotOversizedHeader(p *partition, header *batchHeader, err error) bool {
	now := time.Now()
	switch {
	case errors.Is(err, errBadHeader) && p.hasRecords():
		return false // who goes on behind the batch must not pass what comes before it
	case errors.Is(err, errBadHeader):
		p.quarantineReason = fmt.Sprintf("the batch of records at offset %d %s, and %s: %s offsets reset goes on behind it",
			p.queue.end, p.oversized.which.says(), err, w.cfg.Service)
		p.fetch.failure = p.quarantineReason // what reads the log and the database from elsewhere finds nothing wrong
		w.quarantine(p)
	case err != nil:
		w.fetchFailed(p, fmt.Errorf("read the header of the batch of records at offset %d, which %s: %w", p.oversized.from, p.oversized.which.says(), err), now)
		return false
	case header == nil: // it is not there any more
		p.oversized = nil
		w.pauseFetch(p, failedFirst, now)
	case header.epoch > p.queue.epoch:
		w.requestReclaim(p, time.Time{}) // a new leader: the claim compares its log
	default:
		p.oversized.header = header
		p.applier.kick()
	}
	return true
}

// command is the batch as a command that is refused.
func (h *batchHeader) command(r *kgo.Record, cause *outbox.Cause) Command {
	*cause = outbox.Cause{Time: h.time}
	c := Command{Offset: r.Offset, Cause: cause, Batch: &h.RecordBatch}
	if h.alone > 0 {
		c.refuse(reasonTooLarge, "the record has %d bytes with what its headers take, and one record of a batch that is read again may have %d MiB", h.alone, recordMost>>20)
		return c
	}
	if h.unreadable != "" {
		c.refuse(reasonUnreadable, "the batch of %d records at offsets %d to %d, %d bytes packed with %s, cannot be read: %s", h.Records, r.Offset, h.Last,
			h.Bytes, h.Codec, h.unreadable)
		return c
	}
	c.refuse(reasonTooLarge, "the batch of %d records at offsets %d to %d, %d bytes packed with %s, unpacks to more than the %d MiB, or costs more than the %d MiB "+
		"of memory, that a worker allows", h.Records, r.Offset, h.Last, h.Bytes, h.Codec, batchUnpacked>>20, batchCost>>20)
	return c
}

// codecs are the names of Kafka's compression codecs.
var codecs = map[kgo.CompressionCodecType]string{
	kgo.CodecNone: "none", kgo.CodecGzip: "gzip", kgo.CodecSnappy: "snappy", kgo.CodecLz4: "lz4", kgo.CodecZstd: "zstd",
}

// findHeader reads the header of the first batch behind an offset that is the one that is too
// large. Others may come before it whose records are no commands. Without it, it gives nil.
func findHeader(ctx context.Context, client *kgo.Client, source outbox.Source, offset int64, which *leftPackedError) (*batchHeader, error) {
	for {
		h, b, err := fetchHeader(ctx, client, source, offset)
		switch {
		case err != nil:
			return nil, err
		case which.is(b.Records):
			h.unreadable = which.unreadable
			return h, nil
		case !h.aborted && h.Records > 0:
			return nil, nil //nolint:nilnil // that there is none is an answer
		}
		offset = h.Last + 1
	}
}

// fetchHeader fetches the batch that holds an offset, as it is, and reads its header. A broker
// gives the whole of a batch where it is asked for one byte.
func fetchHeader(ctx context.Context, client *kgo.Client, source outbox.Source, offset int64) (*batchHeader, *kmsg.RecordBatch, error) {
	fetched, err := fetchBatches(ctx, client, source, offset, 1)
	if err == nil && len(fetched.RecordBatches) == 0 {
		err = errNoAnswer
	}
	if err != nil {
		return nil, nil, err
	}
	b, err := parseBatch(fetched.RecordBatches)
	if err != nil {
		return nil, nil, err
	}
	h, err := readHeader(fetched, b, offset)
	return h, b, err
}

func readHeader(fetched *kmsg.FetchResponseTopicPartition, b *kmsg.RecordBatch, offset int64) (*batchHeader, error) {
	h := &batchHeader{
		RecordBatch: outbox.RecordBatch{
			Last: b.FirstOffset + int64(b.LastOffsetDelta), Records: b.NumRecords, Bytes: b.Length + 12, Codec: codecs[kgo.CompressionCodecType(b.Attributes&7)],
		},
		first: b.FirstOffset, epoch: b.PartitionLeaderEpoch, time: b.FirstTimestamp, aborted: isAborted(fetched, b),
	}
	if b.Attributes&8 != 0 { // the brokers' time
		h.time = b.MaxTimestamp
	}
	if h.time < 0 {
		h.time = outbox.NoTime
	}
	if h.Last < offset || h.first > h.Last || h.Records < 0 {
		return nil, fmt.Errorf("%w: it is about offsets %d to %d and %d records", errBadHeader, h.first, h.Last, h.Records)
	}
	return h, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// parseBatch reads a batch of records, but for its records.
func parseBatch(in []byte) (*kmsg.RecordBatch, error) {
	const lengthAt, magicAt, crcAt, crcTo, shortest = 8, 16, 17, 21, 61
	if len(in) < shortest {
		return nil, fmt.Errorf("%w: there are %d bytes of it", errBadHeader, len(in))
	}
	if in[magicAt] != 2 {
		return nil, fmt.Errorf("%w: it has the old format %d", errBadHeader, in[magicAt])
	}
	length := int64(binary.BigEndian.Uint32(in[lengthAt:])) + 12
	if length < shortest || length > int64(len(in)) {
		return nil, fmt.Errorf("%w: its length is %d, and there are %d bytes", errBadHeader, length, len(in))
	}
	in = in[:length]
	if sum := crc32.Checksum(in[crcTo:], castagnoli); sum != binary.BigEndian.Uint32(in[crcAt:]) {
		return nil, fmt.Errorf("%w: its checksum is wrong", errBadHeader)
	}
	b := &kmsg.RecordBatch{}
	if err := b.ReadFrom(in); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadHeader, err)
	}
	return b, nil
}

// isAborted reports whether a batch belongs to a transaction that its producer aborted, or has no
// records but markers.
func isAborted(fetched *kmsg.FetchResponseTopicPartition, b *kmsg.RecordBatch) bool {
	const transactional, control = 16, 32
	if b.Attributes&(transactional|control) != transactional {
		return b.Attributes&control != 0
	}
	for _, a := range fetched.AbortedTransactions {
		if a.ProducerID == b.ProducerID && a.FirstOffset <= b.FirstOffset {
			return true
		}
	}
	return false
}

// fetchBatches fetches the batch that holds an offset, and what follows up to so many bytes.
func fetchBatches(ctx context.Context, client *kgo.Client, source outbox.Source, offset int64, most int32) (*kmsg.FetchResponseTopicPartition, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	topics, err := ListTopics(ctx, client, source.Topic)
	if err != nil {
		return nil, fmt.Errorf("ask for the leader: %w", err)
	}
	topic := topics[source.Topic]
	partition, ok := topic.Partitions[source.Partition]
	switch {
	case errors.Is(topic.Err, kerr.UnknownTopicOrPartition) || topic.Err == nil && topic.ID != source.TopicID:
		return nil, errNoTopic
	case denied(topic):
		return nil, topic.Err
	case !ok:
		return nil, errNoAnswer
	case partition.Err != nil:
		return nil, fmt.Errorf("ask for the leader: %w", partition.Err)
	}
	resp, err := client.Broker(int(partition.Leader)).RetriableRequest(ctx, batchRequest(source, offset, most))
	if err != nil {
		return nil, err
	}
	fetched := resp.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(fetched.ErrorCode); err != nil {
		return nil, err
	}
	if len(fetched.Topics) != 1 || len(fetched.Topics[0].Partitions) != 1 {
		return nil, errNoAnswer
	}
	answer := &fetched.Topics[0].Partitions[0]
	return answer, kerr.ErrorForCode(answer.ErrorCode)
}

func batchRequest(source outbox.Source, offset int64, most int32) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = source.Partition, offset, most
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID, t.Partitions = source.Topic, source.TopicID, []kmsg.FetchRequestTopicPartition{p}
	req := kmsg.NewPtrFetchRequest()
	req.IsolationLevel, req.MinBytes, req.MaxBytes, req.MaxWaitMillis = 1, 1, most, int32(fetchWait/time.Millisecond)
	req.Topics = []kmsg.FetchRequestTopic{t}
	return req
}
