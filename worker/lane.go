package worker

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// laneState is where a lane stands between its claim and its end.
type laneState uint8

const (
	draining    laneState = iota // rows of before the claim are being published; records gather
	running                      // records are applied
	doubtful                     // the claim or the outcome of a transaction is in doubt: the recoverer claims again
	waiting                      // claimed, and nobody answers for its log: what is left of its events is published
	seeking                      // claimed again: the poll loop sets the fetch position
	quarantined                  // the position cannot be used: nothing is fetched, until an operator decides
	retired                      // being revoked: nothing more is applied
	closed                       // revoked or lost
)

// lane is one assigned partition. Its name, type and applier never change; all other fields are
// guarded by Worker.mu. While a lane is busy, only its applier changes its claim, its trials and
// how much of what is kept it takes, so the applier may read these without the lock.
type lane struct {
	topic     string
	partition int32
	kind      string // the command type of records that name none
	applier   *applier

	claim Claim
	state laneState
	busy  bool               // in the transaction of its applier: its queue's head must not be dropped
	ended context.CancelFunc // stops its drain

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

	alone    bool      // its first record failed in a batch of one: it is tried alone
	failures int       // in a row, alone
	failedAt int64     // what the worker had committed when it failed first
	failure  string    // why it is held now; empty: it is not
	retryAt  time.Time // not before this is it tried again
	lock     *locked   // what it waits for; nil: nothing

	logEnd
	suspicion
	keeping
	fetching
	unanswered
	progress

	outsize *outsize // what comes after the queue, where that is a batch that is not unpacked; else nil
	gap     *gap     // what comes after the queue is not explained yet; else nil

	fencedAt time.Time // zero: not fenced, claim at once
	tries    int       // claims in a row since it became doubtful, those that failed included
	ahead    int       // claims in a row after which records came of a newer leader than the one that was asked
	why      string    // of a quarantine
}

// mark says that when every row below row is published, the commands below offset are applied and
// published.
type mark struct {
	row, offset int64
}

func newLane(c Claim, kind string) *lane {
	l := &lane{topic: c.Source.Topic, partition: c.Source.Partition, kind: kind}
	l.adopt(c)
	return l
}

// adopt starts a lane, again or for the first time, from a claim.
func (l *lane) adopt(c Claim) {
	l.claim = c
	l.next, l.nextRow, l.saved = c.NextOffset, c.NextRow, c.Published
	l.fetched = c.NextOffset
	l.published, l.committed = -1, -1
	l.marks = append(l.marks[:0], mark{row: c.NextRow, offset: c.NextOffset})
	l.drop()
	l.fencedAt, l.tries = time.Time{}, 0
	l.movedAt = time.Now()
	l.suspect(c)
	l.backlog = false
	l.dropBatches()
	l.startFetching(l.movedAt)
	l.lock = nil
}

// judge notes what a log means for the lane.
func (l *lane) judge(log Log) {
	l.why = log.Unusable(l.claim.Position())
	l.checked = log.LeaderEpoch
	l.see(log.Stable, log.End, time.Now())
}

// fetchEpoch has the client look for itself whether the log was cut, between the claim and its
// first fetch.
func (l *lane) fetchEpoch() int32 {
	if l.why != "" {
		return -1
	}
	return l.claim.LeaderEpoch
}

// publishes reports whether the lane's claim holds, as far as is known, and its rows are published.
func (l *lane) publishes() bool {
	return l.state == running || l.state == draining || l.state == waiting
}

func (l *lane) drop() {
	clear(l.queue)
	l.queue, l.bytes = l.queue[:0], 0
}

// push queues fetched records. What is queued or applied already is skipped: a fetch may begin
// inside a batch of records. What does not follow is held back. It reports false, and queues no
// more, at the first record of a leader whose log was not compared with what was applied.
func (l *lane) push(records []*kgo.Record) bool {
	if len(records) > 0 {
		l.came()
	}
	for i, r := range records {
		if r.Offset < l.fetched {
			continue
		}
		if r.LeaderEpoch > l.checked {
			return false
		}
		if r.Offset > l.fetched || l.gap != nil {
			l.hold(records[i:])
			return true
		}
		l.enqueue(r)
	}
	return true
}

func (l *lane) enqueue(r *kgo.Record) {
	l.queue = append(l.queue, r)
	l.bytes += size(r)
	l.fetched = r.Offset + 1
}

func size(r *kgo.Record) int {
	n := recordBytes + len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += headerBytes + len(h.Key) + len(h.Value)
	}
	return n
}

// applied moves the lane after a transaction took its first n records.
func (l *lane) applied(n int, to int64, rows int) {
	l.advance(n, to, rows)
	l.alone, l.failures, l.failure, l.tries, l.ahead, l.retryAt = false, 0, "", 0, 0, time.Time{}
	l.survive()
}

func (l *lane) advance(n int, to int64, rows int) {
	for _, r := range l.queue[:n] {
		l.bytes -= size(r)
	}
	clear(l.queue[:n])
	l.queue = l.queue[n:]
	l.next = to
	l.nextRow += int64(rows)
	l.movedAt = time.Now()
	if last := len(l.marks) - 1; last >= 0 && l.marks[last].row == l.nextRow {
		l.marks[last].offset = to
		return
	}
	l.marks = append(l.marks, mark{row: l.nextRow, offset: to})
}

// settle moves what is applied and published up to a published row.
func (l *lane) settle(row int64) {
	n := 0
	for n < len(l.marks) && l.marks[n].row <= row {
		l.published = l.marks[n].offset
		n++
	}
	if n > 0 && n == len(l.marks) { // keep the last: transactions without rows move its offset
		n--
	}
	l.marks = l.marks[n:]
}

func (l *lane) ready(now time.Time) bool {
	return l.state == running && !l.busy && (len(l.queue) > 0 || l.outsizeNext()) && !now.Before(l.mayTryAt())
}

// mayTryAt is when the lane's next record may be tried.
func (l *lane) mayTryAt() time.Time {
	if l.blocked() {
		return l.lock.againAt
	}
	return l.retryAt
}

func (n TopicPartition) compare(o TopicPartition) int {
	return cmp.Or(cmp.Compare(n.Topic, o.Topic), cmp.Compare(n.Partition, o.Partition))
}

func (l *lane) name() TopicPartition { return TopicPartition{l.topic, l.partition} }

func (l *lane) labels() []string { return l.name().labels() }

func (n TopicPartition) labels() []string { return []string{n.Topic, strconv.Itoa(int(n.Partition))} }

func (l *lane) asMap() map[string][]int32 { return map[string][]int32{l.topic: {l.partition}} }
