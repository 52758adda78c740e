package worker

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partitionState is where a partition stands between its claim and its end.
type partitionState uint8

const (
	draining    partitionState = iota // rows of before the claim are being published; records gather
	running                           // records are applied
	reclaiming                        // the claim or the outcome of a transaction is not known: the reclaimer claims it
	waiting                           // claimed, and nobody answers for its log: what is left of its events is published
	seeking                           // claimed again: the poll loop sets the fetch position
	quarantined                       // the position cannot be used: nothing is fetched, until an operator decides
	revoking                          // being revoked: nothing more is applied
	closed                            // revoked or lost
)

// partition is a partition that the group assigned to this worker. Its name, type and applier never
// change; all other fields are guarded by Worker.mu. While a partition is busy, only its applier
// changes its claim, its probes and how many parked commands it takes, so the applier may read
// these without the lock.
type partition struct {
	topic   string
	number  int32
	input   *Topic // how its records are read
	applier *applier

	claim     Claim
	state     partitionState
	busy      bool               // in the transaction of its applier: its queue's head must not be dropped
	stopDrain context.CancelFunc // stops its drain

	queue  []*kgo.Record // not applied yet, in order
	bytes  int
	paused bool

	next    int64 // applied up to here
	fetched int64 // queued up to here: a client that rewinds adds nothing
	checked int32 // the log was found to hold what was applied when its leader had this epoch
	nextRow int64
	marks   []mark // transactions whose rows are not all published yet

	published int64     // applied and published up to here
	committed int64     // what the group was told; -1: nothing yet
	saved     int64     // the published row that the database has
	saveNow   bool      // somebody waits for it
	eager     time.Time // until then somebody waits for its rows one after the other: each is written at once
	asked     bool      // somebody said so, or an operator decided about the partition: saving reports whether the claim holds
	movedAt   time.Time // the last transaction

	alone    bool      // its first record failed in a transaction of its own: it is tried alone
	failures int       // in a row, alone
	failedAt int64     // what the worker had committed when it failed first
	failure  string    // why it is held now; empty: it is not
	retryAt  time.Time // not before this is it tried again
	lock     *locked   // what it waits for; nil: nothing

	logEnd
	crashProbe
	redrive
	fetching
	unanswered
	progress

	oversized *oversized // what comes after the queue, where that is a batch that is not unpacked; else nil
	gap       *gap       // what comes after the queue is not explained yet; else nil

	fencedAt         time.Time // zero: not fenced, claim at once
	tries            int       // claims in a row since a reclaim was requested, those that failed included
	ahead            int       // claims in a row after which records came of a newer leader than the one that was asked
	quarantineReason string    // of a quarantine
}

// mark says that when every row below row is published, the commands below offset are applied and
// published.
type mark struct {
	row, offset int64
}

func newPartition(c Claim, input *Topic) *partition {
	p := &partition{topic: c.Source.Topic, number: c.Source.Partition, input: input}
	p.reset(c)
	return p
}

// reset starts a partition, again or for the first time, from a claim.
func (p *partition) reset(c Claim) {
	p.claim = c
	p.next, p.nextRow, p.saved = c.NextOffset, c.NextRow, c.Published
	p.fetched = c.NextOffset
	p.published, p.committed = -1, -1
	p.marks = append(p.marks[:0], mark{row: c.NextRow, offset: c.NextOffset})
	p.drop()
	p.fencedAt, p.tries = time.Time{}, 0
	p.movedAt = time.Now()
	p.startProbes(c)
	p.backlog = false
	p.dropBatches()
	p.startFetching(p.movedAt)
	p.lock = nil
}

// checkLog notes what a log means for the partition.
func (p *partition) checkLog(log Log) {
	p.quarantineReason = log.Unusable(p.claim.Position())
	p.checked = log.LeaderEpoch
	p.see(log.Stable, log.End, time.Now())
}

// fetchEpoch has the client look for itself whether the log was cut, between the claim and its
// first fetch.
func (p *partition) fetchEpoch() int32 {
	if p.quarantineReason != "" {
		return -1
	}
	return p.claim.LeaderEpoch
}

// publishes reports whether the partition's claim holds, as far as is known, and its rows are
// published.
func (p *partition) publishes() bool {
	return p.state == running || p.state == draining || p.state == waiting
}

func (p *partition) drop() {
	clear(p.queue)
	p.queue, p.bytes = p.queue[:0], 0
}

// push queues fetched records. What is queued or applied already is skipped: a fetch may begin
// inside a batch of records. What does not follow is held back. It reports false, and queues no
// more, at the first record of a leader whose log was not compared with what was applied.
func (p *partition) push(records []*kgo.Record) bool {
	if len(records) > 0 {
		p.came()
	}
	for i, r := range records {
		if r.Offset < p.fetched {
			continue
		}
		if r.LeaderEpoch > p.checked {
			return false
		}
		if r.Offset > p.fetched || p.gap != nil {
			p.hold(records[i:])
			return true
		}
		p.enqueue(r)
	}
	return true
}

func (p *partition) enqueue(r *kgo.Record) {
	p.queue = append(p.queue, r)
	p.bytes += size(r)
	p.fetched = r.Offset + 1
}

func size(r *kgo.Record) int {
	n := recordBytes + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += headerBytes + len(h.Key) + len(h.Value)
	}
	return n
}

// applied moves the partition after a transaction took its first n records.
func (p *partition) applied(n int, to int64, rows int) {
	p.advance(n, to, rows)
	p.alone, p.failures, p.failure, p.tries, p.ahead, p.retryAt = false, 0, "", 0, 0, time.Time{}
	p.passProbe()
}

func (p *partition) advance(n int, to int64, rows int) {
	for _, r := range p.queue[:n] {
		p.bytes -= size(r)
	}
	clear(p.queue[:n])
	p.queue = p.queue[n:]
	p.next = to
	p.nextRow += int64(rows)
	p.movedAt = time.Now()
	if last := len(p.marks) - 1; last >= 0 && p.marks[last].row == p.nextRow {
		p.marks[last].offset = to
		return
	}
	p.marks = append(p.marks, mark{row: p.nextRow, offset: to})
}

// settle moves what is applied and published up to a published row.
func (p *partition) settle(row int64) {
	n := 0
	for n < len(p.marks) && p.marks[n].row <= row {
		p.published = p.marks[n].offset
		n++
	}
	if n > 0 && n == len(p.marks) { // keep the last: transactions without rows move its offset
		n--
	}
	p.marks = p.marks[n:]
}

func (p *partition) ready(now time.Time) bool {
	return p.state == running && !p.busy && (len(p.queue) > 0 || p.oversizedNext()) && !now.Before(p.mayTryAt())
}

// mayTryAt is when the partition's next record may be tried.
func (p *partition) mayTryAt() time.Time {
	if p.blocked() {
		return p.lock.againAt
	}
	return p.retryAt
}

func (n TopicPartition) compare(o TopicPartition) int {
	return cmp.Or(cmp.Compare(n.Topic, o.Topic), cmp.Compare(n.Partition, o.Partition))
}

func (p *partition) name() TopicPartition { return TopicPartition{p.topic, p.number} }

func (p *partition) labels() []string { return p.name().labels() }

func (n TopicPartition) labels() []string { return []string{n.Topic, strconv.Itoa(int(n.Partition))} }

func (p *partition) asMap() map[string][]int32 { return map[string][]int32{p.topic: {p.number}} }
