package worker

import (
	"cmp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// queue is what was fetched of a partition and is not applied yet. Its records follow each other
// without a gap that the log did not explain. Their offsets are below end.
type queue struct {
	records []*kgo.Record
	bytes   int       // that they cost
	end     int64     // queued up to here: a client that rewinds adds nothing
	taken   time.Time // the timestamp of the record that was taken last; zero: none was
	epoch   int32     // the log was found to hold what was applied when its leader had this epoch
}

// reset empties the queue, for records from an offset on.
func (q *queue) reset(end int64) {
	q.drop()
	q.end = end
}

func (q *queue) drop() {
	clear(q.records)
	q.records, q.bytes = q.records[:0], 0
}

func (q *queue) add(r *kgo.Record) {
	q.records = append(q.records, r)
	q.bytes += size(r)
	q.end = r.Offset + 1
}

// take drops the first n records.
func (q *queue) take(n int) {
	for _, r := range q.records[:n] {
		q.bytes -= size(r)
	}
	if n > 0 {
		q.taken = q.records[n-1].Timestamp
	}
	clear(q.records[:n])
	q.records = q.records[n:]
}

// size is what a record costs in memory.
func size(r *kgo.Record) int {
	n := recordBytes + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += headerBytes + len(h.Key) + len(h.Value)
	}
	return n
}

// takesRecords reports whether fetched records are of use.
func (p *partition) takesRecords() bool {
	return p.silence.why == nil && p.oversized == nil && (p.state == running || p.state == draining)
}

// push queues fetched records. What is queued or applied already is skipped: a fetch may begin
// inside a batch of records. What does not follow is held back (see gap). It reports false, and
// queues no more, at the first record of a leader whose log was not compared with what was applied.
func (p *partition) push(records []*kgo.Record) bool {
	if len(records) > 0 {
		p.fetch.came()
	}
	for i, r := range records {
		switch q := &p.queue; {
		case r.Offset < q.end:
		case r.LeaderEpoch > q.epoch:
			return false
		case r.Offset > q.end || p.gap != nil:
			p.holdBack(records[i:])
			return true
		default:
			q.add(r)
		}
	}
	return true
}

// gap is a place in a partition where records do not follow each other. Aborted transactions leave
// such places, and compaction does. But the client also passes over records that it cannot read,
// and believes what records say of their own offsets: brokers let a producer write a batch whose
// records claim any offset, and what other producers wrote in between would never come. So the log
// itself has to explain each gap, by the headers of its batches. Until then the partition takes no
// records.
type gap struct {
	from   int64         // the first offset that did not come
	until  int64         // from here on nothing is to be explained
	held   []*kgo.Record // that came meanwhile
	cancel func()        // ends the goroutine that asks the log; nil: none does yet
}

// holdBack keeps records until the log has explained the gap before the last of them that has one.
func (p *partition) holdBack(records []*kgo.Record) {
	if p.gap == nil {
		p.gap = &gap{from: p.queue.end}
	}
	last := p.queue.end
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

// offsets are those of the records that came behind the gap.
func (g *gap) offsets() []int64 {
	offsets := make([]int64, len(g.held))
	for i, r := range g.held {
		offsets[i] = r.Offset
	}
	return offsets
}

func (g *gap) drop() {
	if g != nil && g.cancel != nil {
		g.cancel()
	}
}

// explained queues what came, now that the log has no other records below an offset, or a batch
// there that cannot be read. It reports false where the log has a leader that it was not compared
// under.
func (p *partition) explained(through int64, unreadable *batchHeader) bool {
	g := p.gap
	if !p.takeHeld(g.held, through) || unreadable != nil && unreadable.epoch > p.queue.epoch {
		return false
	}
	p.gap = nil
	if unreadable != nil {
		p.oversized = &oversized{from: through, header: unreadable, cancel: g.cancel}
		return true
	}
	if through > p.queue.end {
		p.queue.end, p.fetch.looks = through, 0 // it was not in vain
	}
	return p.push(g.held)
}

// takeHeld queues records up to an offset, below which no gap is left to be explained.
func (p *partition) takeHeld(held []*kgo.Record, until int64) bool {
	for _, r := range held {
		switch {
		case r.Offset >= until:
			return true
		case r.Offset < p.queue.end:
		case r.LeaderEpoch > p.queue.epoch:
			return false
		default:
			p.queue.add(r)
		}
	}
	return true
}

// before is how many of the first n records come before an offset.
func (q *queue) before(n int, offset int64) int {
	at, _ := slices.BinarySearchFunc(q.records[:n], offset, func(r *kgo.Record, offset int64) int { return cmp.Compare(r.Offset, offset) })
	return at
}
