package worker

import (
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// catchUp spreads a backlog over Config.CatchUpTime. Other programs on the machine, or with the
// same database, slow down less then.
type catchUp struct {
	time  time.Duration
	stall time.Duration // for how long a partition may stand still: Config.StallTimeout
	by    time.Time     // when it is to be over; zero: there is no backlog
	from  int64         // how many records it had
	each  float64       // seconds that a record took in the last transaction that had some of it
	until time.Time     // before that, the partitions that have one rest
}

// A backlog is what has waited for stale, by the records' timestamps, and takes longer than atOnce
// at full speed. A rush is none, such as that from a service which catches up itself: those who
// wait for it would wait longer. After each transaction partitions with a backlog rest, spreadRest
// at most. So a small backlog is over before its time. A transaction is to take unnoticed at most,
// also in a rush, because others may wait for it.
const (
	stale      = 10 * time.Second
	atOnce     = time.Second
	unnoticed  = quickly / 4
	spreadRest = 2 * time.Second
)

// spreadStep is for how long one transaction's part of a backlog is to last. What the commands lead
// to is work for other services: of 2,700 commands of orders at once, for a second on two cores.
const spreadStep = 100 * time.Millisecond

// foundWithin is in which part of the time, one divided by it, a backlog may turn out to be larger:
// partitions are fetched one after the other.
const foundWithin = 10

// firstOfBacklog is how many commands the first transaction has where a backlog is spread. How long
// they take is not known yet, and a service that has just started is slow.
const firstOfBacklog = firstCommands / 16

// first is how many commands the first transaction has.
func (c *catchUp) first() int {
	if c.time == 0 {
		return firstCommands
	}
	return firstOfBacklog
}

// isLeft notes how many records are left, and how many are few. When few are left that take no
// time, the backlog is over, and the next one has a time of its own.
func (c *catchUp) isLeft(left, few int64) {
	if left <= few && c.each*float64(left) <= atOnce.Seconds()/2 {
		c.by, c.from = time.Time{}, 0
	}
}

// most is how long a rest of an applier with so many partitions lasts at most. Each partition has a
// turn after as many rests as there are partitions, and is not to be taken for one that stands
// still.
func (c *catchUp) most(partitions int) time.Duration {
	return min(spreadRest, c.stall/2/time.Duration(max(1, partitions)))
}

// quickly is how long a transaction is to take at most.
func (c *catchUp) quickly(now time.Time) time.Duration {
	if c.time == 0 || !c.by.IsZero() && !now.Before(c.by) {
		return quickly
	}
	return unnoticed
}

// rest is how long partitions with a backlog rest after a transaction that applied so many records,
// where so many are left: until so much is left if the backlog goes evenly. What comes meanwhile
// waits no longer than what it began with. After the time they go as fast as they can, so a service
// whose usual load needs that does not fall behind for ever.
func (c *catchUp) rest(now time.Time, took time.Duration, applied, left int64) time.Duration {
	c.each = took.Seconds() / float64(applied)
	if c.by.IsZero() {
		if c.time == 0 || c.each*float64(left) <= atOnce.Seconds() {
			return 0
		}
		c.by = now.Add(c.time)
	}
	remains := c.by.Sub(now)
	if remains > c.time-c.time/foundWithin {
		c.from = max(c.from, applied+left)
	}
	evenly := time.Duration(float64(c.time) * float64(left) / float64(c.from))
	return max(0, remains-evenly)
}

// part is how many records with a backlog the next transaction has at most, where so many are left:
// as many as are due within spreadStep if the backlog goes evenly, quickLeast at least.
func (c *catchUp) part(now time.Time, left int64) int {
	remains := c.by.Sub(now)
	if c.by.IsZero() || remains <= 0 {
		return math.MaxInt
	}
	then := float64(c.from) * max(0, remains-spreadStep).Seconds() / c.time.Seconds()
	return max(quickLeast, int(left)-int(then))
}

// caughtUp notes a transaction of partitions with much waiting. The caller holds Worker.mu.
func (a *applier) caughtUp(work *work, now time.Time) {
	if slices.ContainsFunc(work.records, func(r record) bool { return isStale(r.Record, now) }) {
		rest := a.catchUp.rest(now, work.took, int64(len(work.records)), a.backlog(now))
		a.catchUp.until = now.Add(min(rest, a.catchUp.most(len(a.partitions))))
	}
}

// backlog is how many records are left of partitions that have one, as far as is known. Those that
// wait for a producer's transaction or a lock do not count. The caller holds Worker.mu.
func (a *applier) backlog(now time.Time) (n int64) {
	for _, p := range a.partitions {
		if p.state == running && p.lock == nil && p.stale(now) {
			n += max(int64(len(p.queue.records)), p.log.stable-p.next)
		}
	}
	return n
}

// stale reports whether what comes next has waited for long. Before it is fetched, what was applied
// last tells.
func (p *partition) stale(now time.Time) bool {
	if len(p.queue.records) > 0 {
		return isStale(p.queue.records[0], now)
	}
	return now.Sub(p.queue.taken) > stale
}

func isStale(r *kgo.Record, now time.Time) bool { return now.Sub(r.Timestamp) > stale }
