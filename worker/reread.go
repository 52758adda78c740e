package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
	"allocation/outbox/telemetry"
)

// reread is a batch of records that was too large, and that an operator wants read again with more
// room. A goroutine reads some of its records at a time, and the partition's applier applies them.
type reread struct {
	isolation
	letter       LetterID
	attemptEnded bool // what this process began of it before has ended
	cancel       func()
	ended        chan struct{} // has room for one: what was ready is applied, or not

	ready   *Reread // nil: nothing is. Guarded by Worker.mu, as the following
	records []record
	fails   string
	taken   bool // by the applier
}

// readAgain begins to read a batch again, if it should be. The caller holds mu.
func (w *Worker) readAgain(p *partition, letter LetterID) {
	if letter.Source == 0 || p.redrive.again != nil || p.state != running {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &reread{letter: letter, cancel: cancel, ended: make(chan struct{}, 1), attemptEnded: p.redrive.begun == letter}
	p.redrive.again, p.redrive.begun = r, letter
	w.drains.Go(func() {
		defer cancel()
		w.runReread(ctx, p, r)
		w.mu.Lock()
		defer w.mu.Unlock()
		if p.redrive.again == r {
			p.redrive.again = nil
			kick(w.redrive) // for the next
		}
	})
}

func (r *reread) drop() {
	if r != nil {
		r.cancel()
	}
}

// isReady reports whether there is something for the applier. The caller holds mu.
func (r *reread) isReady() bool { return r != nil && r.ready != nil && !r.taken }

// give makes a batch for the applier of what is ready. The caller holds mu.
func (r *reread) give(work *work) {
	r.taken = true
	work.again, work.records, work.transaction.Reread = r, r.records, r.ready
	if work.fails = r.failure; headOf(r.records) != r.head {
		work.fails = r.fails
	}
}

// end lets go of what was ready. The caller holds mu.
func (r *reread) end() {
	if r != nil {
		r.ready, r.records, r.taken = nil, nil, false
		kick(r.ended)
	}
}

// runReread reads the batch until all of it is applied, or nobody wants it any more.
func (w *Worker) runReread(ctx context.Context, p *partition, r *reread) {
	reader := &batchReader{client: w.client}
	defer reader.close()
	for failures := 0; ctx.Err() == nil; r.attemptEnded = true {
		letter, err := w.store.BeginReread(ctx, r.letter, r.attemptEnded)
		if err == nil && letter.Letter.Source == 0 {
			return
		}
		var ok bool
		if err == nil {
			ok, err = w.readOn(ctx, p, r, reader, &letter)
		}
		switch {
		case ctx.Err() != nil || err == nil && !ok:
			return
		case err != nil:
			failures++
			w.throttled.warn("read a batch of records again", err, "topic", p.name.Topic, "partition", p.name.Partition)
			pause(ctx, backoff(failures, 100*time.Millisecond, failedMost))
		default:
			failures = 0
		}
	}
}

// readOn reads some of the batch's records, and waits until they are applied or failed. It is not
// ok where the batch cannot be read.
func (w *Worker) readOn(ctx context.Context, p *partition, r *reread, reader *batchReader, letter *BatchLetter) (ok bool, err error) {
	w.mu.Lock()
	if r.limit == 0 && letter.Attempts == 1 { // nothing tells that one of them ends its worker
		r.limit = maxRedrive
	}
	most := max(1, r.limit)
	w.mu.Unlock()
	if letter.Attempts > redriveAlone {
		most = 1
	}
	if letter.Attempts > redriveFatal+1 { // one command alone would have been held before
		return false, w.stopReread(ctx, letter, fmt.Sprintf("its worker's process ended %d times meanwhile", letter.Attempts-1))
	}
	chunk, err := reader.read(ctx, letter, most)
	var stop *unreadableError
	if errors.As(err, &stop) {
		return false, w.stopReread(ctx, letter, stop.Error())
	}
	if err != nil {
		return false, err
	}
	ready := &Reread{Letter: letter.Letter, From: letter.From, First: letter.First, Next: letter.Next, To: chunk.to, Done: chunk.to > letter.Last}
	w.mu.Lock()
	if p.redrive.again != r {
		w.mu.Unlock()
		return false, nil
	}
	r.ready, r.records, r.fails = ready, w.again(letter, chunk.records), ""
	if letter.Attempts > redriveFatal && len(r.records) == 1 {
		r.fails = fatal(letter.Attempts)
	}
	p.applier.kick()
	w.mu.Unlock()
	select {
	case <-r.ended:
	case <-ctx.Done():
	}
	return true, nil
}

func (w *Worker) stopReread(ctx context.Context, letter *BatchLetter, why string) error {
	batch := telemetry.Record{Topic: letter.From.Topic, Partition: letter.From.Partition, Offset: letter.First}
	w.logger.With(batch.LogAttrs()...).Error("a batch of records cannot be read again: see `"+w.cfg.Service+" dlq show`", "reason", why)
	return w.store.StopReread(ctx, *letter, why)
}

// again makes commands of records that were read again. Each keeps the numbers of its offset.
func (w *Worker) again(letter *BatchLetter, chunk []packedRecord) []record {
	records := make([]record, len(chunk))
	for i, r := range chunk {
		records[i] = record{Record: r.Record, oversized: r.alone, types: w.typesOfParked(letter.From.Topic, r.Record), parked: &Parked{From: letter.From, Event: letter.Event}}
	}
	return records
}

// unreadableError says why a batch is not read again, until an operator decides anew.
type unreadableError struct{ why string }

func (e *unreadableError) Error() string { return e.why }

func unreadable(format string, args ...any) error {
	return &unreadableError{fmt.Sprintf(format, args...)}
}

// packedRecord is a record of a batch, or what is known of one that is too large by itself.
type packedRecord struct {
	*kgo.Record
	alone *batchHeader
}

// chunk is some of a batch's records.
type chunk struct {
	records []packedRecord
	to      int64 // the batch has no others before this offset
}

// batchReader reads a batch of records once more, some of it at a time.
type batchReader struct {
	client *kgo.Client
	letter LetterID
	room   int64
	next   int64          // offset of what is to be unpacked next
	bytes  int            // of what is unpacked
	held   []packedRecord // unpacked, and not applied
	packed *packedRecords // nil: to be fetched
}

func (b *batchReader) close() {
	if b.packed != nil {
		b.packed.close()
		b.packed = nil
	}
}

// read gives the next records of a batch, at most so many.
func (b *batchReader) read(ctx context.Context, letter *BatchLetter, most int) (chunk, error) {
	b.goTo(letter)
	for len(b.held) < most && b.bytes < batchBytes && b.next <= letter.Last {
		if err := b.unpackNext(ctx, letter); err != nil && len(b.held) == 0 {
			return chunk{}, err
		} else if err != nil { // it comes again, behind these
			b.close()
			break
		}
	}
	if len(b.held) > most {
		return chunk{records: b.held[:most], to: b.held[most].Offset}, nil
	}
	return chunk{records: b.held, to: b.next}, nil
}

// goTo drops what is applied.
func (b *batchReader) goTo(letter *BatchLetter) {
	if b.letter != letter.Letter || b.room != letter.Room || letter.Next > b.next || len(b.held) > 0 && letter.Next < b.held[0].Offset {
		b.close()
		*b = batchReader{client: b.client, letter: letter.Letter, room: letter.Room, next: letter.Next}
	}
	applied := 0
	for _, r := range b.held {
		if r.Offset < letter.Next {
			b.bytes -= size(r.Record)
			applied++
		}
	}
	b.held = b.held[applied:]
}

func (b *batchReader) unpackNext(ctx context.Context, letter *BatchLetter) error {
	if b.packed == nil {
		return b.fetch(ctx, letter)
	}
	r, large, err := b.packed.next()
	switch {
	case errors.Is(err, io.EOF):
		b.next = b.packed.last + 1
		b.close()
		return nil
	case err != nil:
		return b.unreadable(err, letter)
	case large != nil:
		header := &batchHeader{alone: large.bytes, time: large.time, RecordBatch: outbox.RecordBatch{
			Last: large.offset, Records: 1, Bytes: b.packed.batch.Length + 12, Codec: b.packed.codec,
		}}
		b.add(packedRecord{&kgo.Record{Offset: large.offset, Timestamp: time.UnixMilli(large.time)}, header})
	default:
		b.add(packedRecord{Record: r})
	}
	return nil
}

func (b *batchReader) add(r packedRecord) {
	if r.Offset >= b.next {
		b.held, b.next, b.bytes = append(b.held, r), r.Offset+1, b.bytes+size(r.Record)
	}
}

func (b *batchReader) fetch(ctx context.Context, letter *BatchLetter) error {
	header, batch, err := fetchHeader(ctx, b.client, letter.From, b.next)
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		return unreadable("Kafka does not keep the record at offset %d any more", b.next)
	case errors.Is(err, errNoTopic):
		return unreadable("the topic was deleted, and its records with it")
	case errors.Is(err, errBadHeader):
		return b.unreadable(err, letter)
	case err != nil:
		return err
	case header.first > letter.Last:
		return unreadable("Kafka does not keep the records from offset %d to %d any more", b.next, letter.Last)
	case header.aborted:
		b.next = header.Last + 1
		return nil
	}
	if b.packed, err = unpack(batch, letter.Room); err != nil {
		return b.unreadable(err, letter)
	}
	return nil
}

func (b *batchReader) unreadable(err error, letter *BatchLetter) error {
	if errors.Is(err, errRoom) {
		return unreadable("it unpacks to more than the %d bytes that --max-bytes allowed", letter.Room)
	}
	return unreadable("from offset %d on it cannot be read: %v", b.next, err)
}
