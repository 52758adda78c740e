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

// gap is a place in a partition where records do not follow each other. Aborted transactions leave
// such places, and compaction does. But the client also passes over records that it cannot read,
// and believes what records say of their own offsets: brokers let a producer write a batch whose
// records claim any offset, and what other producers wrote in between would never come. So the log
// itself has to explain each gap, by the headers of its batches. Until then the partition takes no
// records.
type gap struct {
	source outbox.Source
	from   int64         // the first offset that did not come
	until  int64         // from here on nothing is to be explained
	held   []*kgo.Record // that came meanwhile
	cancel context.CancelFunc
}

const (
	gapBytes = 1 << 20 // of batches that are read at once
	gapLook  = 2 * time.Second
	gapAgain = 10 * time.Second // between two looks for what does not come
)

// errNotGiven says that the client passed over records with which nothing is wrong.
var errNotGiven = errors.New("the Kafka client did not give records that are in the log")

// hold keeps records back until the log has explained the gap before the last of them that has one.
func (p *partition) hold(records []*kgo.Record) {
	if p.gap == nil {
		p.gap = &gap{source: p.claim.Source, from: p.fetched}
	}
	last := p.fetched
	if n := len(p.gap.held); n > 0 {
		last = p.gap.held[n-1].Offset + 1
	}
	for _, r := range records {
		if r.Offset < last {
			continue
		}
		if r.Offset > last {
			p.gap.until = r.Offset
		}
		last = r.Offset + 1
		p.gap.held = append(p.gap.held, r)
	}
}

// dropGap forgets the gap, and what is held back.
func (p *partition) dropGap() {
	if p.gap != nil && p.gap.cancel != nil {
		p.gap.cancel()
	}
	p.gap = nil
}

// explainGap has the log explain a gap. The caller holds mu.
func (w *Worker) explainGap(p *partition) {
	g := p.gap
	if g == nil || g.cancel != nil {
		return
	}
	p.paused = true
	w.client.PauseFetchPartitions(p.asMap())
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	offsets := make([]int64, len(g.held))
	for i, r := range g.held {
		offsets[i] = r.Offset
	}
	until := g.until
	w.drains.Go(func() {
		defer cancel()
		for attempt := 1; ; attempt++ {
			through, bad, err := w.explain(ctx, g.source, g.from, until, offsets)
			w.mu.Lock()
			if p.gap != g {
				w.mu.Unlock()
				return
			}
			done := w.heardOfGap(p, through, bad, err)
			w.mu.Unlock()
			if done {
				return
			}
			pause(ctx, backoff(attempt, 100*time.Millisecond, failedMost))
		}
	})
}

// heardOfGap notes what the log says, and reports whether it is an answer. The caller holds mu.
func (w *Worker) heardOfGap(p *partition, through int64, bad *batchHeader, err error) bool {
	g := p.gap
	switch {
	case errors.Is(err, errNotGiven) || errors.Is(err, kerr.OffsetOutOfRange) || errors.Is(err, errNoTopic):
		w.throttled.warn("records do not follow each other", err, "topic", p.topic, "partition", p.number, "offset", g.from)
		w.requestReclaim(p, time.Time{})
	case err != nil && len(g.held) == 0: // nothing came, and that is told when it lasts
		p.gap = nil
		w.flow(p)
	case err != nil:
		w.fetchFailed(p, fmt.Errorf("ask the log what it has from offset %d on, which did not come: %w", g.from, err))
		return false
	case !p.takeHeld(g.held, through) || bad != nil && bad.epoch > p.checked:
		w.reclaimForLeader(p)
	case bad != nil:
		p.gap = nil
		p.oversized = &oversized{source: g.source, from: through, header: bad, cancel: g.cancel}
		p.applier.kick()
	default:
		p.gap, p.fetched = nil, max(p.fetched, through)
		w.pushOn(p, g.held)
		p.applier.kick()
	}
	return true
}

// takeHeld queues records up to an offset, below which no gap is left to be explained.
func (p *partition) takeHeld(held []*kgo.Record, until int64) bool {
	for _, r := range held {
		if r.Offset >= until {
			return true
		}
		if r.Offset < p.fetched {
			continue
		}
		if r.LeaderEpoch > p.checked {
			return false
		}
		p.enqueue(r)
	}
	return true
}

// reclaimForLeader has a partition claimed again that has a new leader: the claim compares its log.
// The caller holds mu.
func (w *Worker) reclaimForLeader(p *partition) {
	p.ahead++
	w.requestReclaim(p, time.Time{})
}

// pushOn queues what was fetched, and has a gap in it explained. The caller holds mu.
func (w *Worker) pushOn(p *partition, records []*kgo.Record) {
	if !p.push(records) {
		w.reclaimForLeader(p)
	}
	w.explainGap(p)
	w.flow(p)
}

// lookForGap asks the log where records wait, and none comes. The caller holds mu.
func (w *Worker) lookForGap(p *partition, now time.Time) {
	if p.behindSince.IsZero() || now.Sub(p.behindSince) < gapLook || now.Sub(p.lookedAt) < gapAgain ||
		p.state != running || p.gap != nil || p.oversized != nil || p.paused || p.noRoom {
		return // or it is known why none comes
	}
	p.lookedAt = now
	p.gap = &gap{source: p.claim.Source, from: p.fetched, until: p.stable}
	w.explainGap(p)
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
			if !h.accounts(b, max(next, h.first), came) {
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
func (h *batchHeader) accounts(b *kmsg.RecordBatch, from int64, came []int64) bool {
	if h.aborted || b.Attributes&controlBatch != 0 || h.Records <= b.LastOffsetDelta {
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
