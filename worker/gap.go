package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/outbox"
)

const gapBytes = 1 << 20 // of batches that are read at once

// errNotGiven says that the client passed over records with which nothing is wrong.
var errNotGiven = errors.New("the Kafka client did not give records that are in the log")

// push queues what was fetched, and has a gap in it explained. The caller holds mu.
func (w *Worker) push(p *partition, records []*kgo.Record) {
	if !p.push(records) {
		w.aheadOfLeader(p)
	}
	w.explainGap(p)
	w.flow(p)
}

// aheadOfLeader has a partition claimed again that has a new leader: the claim compares its log.
// The caller holds mu.
func (w *Worker) aheadOfLeader(p *partition) {
	if p.aheadOfLeader() {
		w.follow(p)
	}
}

// explainGap has the log explain a gap. The caller holds mu.
func (w *Worker) explainGap(p *partition) {
	g := p.gap
	if g == nil || g.cancel != nil {
		return
	}
	source, until, offsets := p.claim.Source, g.until, g.offsets()
	g.cancel = w.askLog(func(ctx context.Context) func() bool {
		through, bad, err := w.explain(ctx, source, g.from, until, offsets)
		return func() bool { return p.gap != g || w.heardOfGap(p, through, bad, err) }
	})
	w.flow(p)
}

// askLog asks for something in a log, until what it asks returns reports that there is no need to
// ask again. That is called with mu held.
func (w *Worker) askLog(ask func(ctx context.Context) (heard func() bool)) (cancel func()) {
	ctx, cancel := context.WithCancel(context.Background())
	w.drains.Go(func() {
		defer cancel()
		for attempt := 1; ; attempt++ {
			heard := ask(ctx)
			w.mu.Lock()
			done := heard()
			w.mu.Unlock()
			if done {
				return
			}
			pause(ctx, backoff(attempt, 100*time.Millisecond, failedMost))
		}
	})
	return cancel
}

// heardOfGap notes what the log says, and reports whether it is an answer. The caller holds mu.
func (w *Worker) heardOfGap(p *partition, through int64, bad *batchHeader, err error) bool {
	g := p.gap
	switch {
	case errors.Is(err, errNotGiven) || errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, errNoTopic):
		w.throttled.warn("records do not follow each other", err, "topic", p.name.Topic, "partition", p.name.Partition, "offset", g.from)
		w.requestReclaim(p, time.Time{})
	case err != nil && len(g.held) == 0: // nothing came, and that is told when it lasts
		p.gap = nil
		w.flow(p)
	case err != nil:
		w.fetchFailed(p, fmt.Errorf("ask the log what it has from offset %d on, which did not come: %w", g.from, err), time.Now())
		return false
	case !p.explained(through, bad):
		w.aheadOfLeader(p)
	default:
		w.explainGap(p) // there may be another behind it
		w.flow(p)
		p.applier.kick()
	}
	return true
}

// explain reads the log between two offsets, of which the records with the offsets given have come.
// Below the offset that it returns no other records are left to come; a batch that follows there
// holds some that cannot be read.
func (w *Worker) explain(ctx context.Context, source outbox.Source, from, until int64, came []int64) (through int64, bad *batchHeader, err error) {
	at := from
	for at < until {
		fetched, err := fetchBatches(ctx, w.client, source, at, gapBytes)
		if err != nil {
			return at, nil, err
		}
		next := at
		for rest := fetched.RecordBatches; next < until && len(rest) > 0; {
			b, err := parseBatch(rest)
			if err != nil && next > at {
				break // the last one is cut
			}
			if err != nil {
				return next, nil, err
			}
			rest = rest[b.Length+12:]
			h, err := readHeader(fetched, b, next)
			if err != nil {
				return next, nil, err
			}
			if !h.accounts(max(next, h.first), came) {
				if h.unreadable = w.unpacker.unreadable(b); h.unreadable != "" {
					return next, h, nil
				}
				if len(came) > 0 {
					return next, nil, errNotGiven
				}
				return next, nil, nil // they may be on their way
			}
			next = h.Last + 1
		}
		if next == at {
			return at, nil, errNoAnswer
		}
		at = next
	}
	return at, nil, nil
}

// accounts reports whether a batch has no records from an offset on but those that came. Its header
// counts fewer than it has offsets where the log was compacted.
func (h *batchHeader) accounts(from int64, came []int64) bool {
	if h.aborted || int64(h.Records) <= h.Last-h.first {
		return true
	}
	first, _ := slices.BinarySearch(came, from)
	behind, _ := slices.BinarySearch(came, h.Last+1)
	return int64(behind-first) == h.Last+1-from
}

// unreadable says why the records of a batch cannot be read; empty where they can, or nobody has
// room for them. What it unpacks is one record at a time, of one batch at a time.
func (u *unpacker) unreadable(b *kmsg.RecordBatch) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	records, err := unpack(b, batchUnpacked)
	if err != nil {
		return err.Error()
	}
	defer records.close()
	for err == nil {
		_, _, err = records.next()
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, errBroken) || errors.Is(err, errRoom) {
		return ""
	}
	return err.Error()
}
