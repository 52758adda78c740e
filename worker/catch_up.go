package worker

import (
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// catchUp spreads the backlog of a partition over Config.CatchUpTime. Other programs on the
// machine, or with the same database, slow down less then.
type catchUp struct {
	by    time.Time // when it is to be over; zero: there is no backlog
	from  int64     // how many records it had, or would have had if it had gone evenly so far
	until time.Time // before that, the partition rests
	last  time.Time // the last transaction that had some of it
}

// A backlog is what has waited for stale, by the records' timestamps, where all that an applier has
// of it takes longer than atOnce at the speed of its last transaction. A rush that is over by then
// is none, such as that from a service which catches up itself: those who wait for it would wait
// longer. After each transaction a partition with a backlog rests, spreadRest at most. So a small
// backlog is over before its time. One of which nothing was applied for interrupted begins anew. A
// transaction is to take unnoticed at most, also in a rush, because others may wait for it; but
// quickly from when a time was not enough.
const (
	stale       = 10 * time.Second
	atOnce      = time.Second
	unnoticed   = quickly / 4
	spreadRest  = 2 * time.Second
	interrupted = 30 * time.Second
)

// spreadStep is for how long a transaction's part of a backlog is to last. What the commands lead
// to is work for other services: of 2,700 commands of orders at once, for a second on two cores.
const spreadStep = 200 * time.Millisecond

// firstOfBacklog is how many records of a partition a transaction has at most while it is not known
// how long they take. A service that has just started is slow.
const firstOfBacklog = firstCommands / 16

// foundWithin is in which part of the time, one divided by it, a backlog may turn out to be none:
// the first commands take longer than those after them.
const foundWithin = 10

// load is what a transaction tells of a backlog.
type load struct {
	applied, left int64         // records of the partition
	each          time.Duration // that a record took
	all           int64         // records of all partitions of the applier that have a backlog
}

func (l load) takes(records int64) time.Duration { return l.each * time.Duration(records) }

// part is how many records the next transaction has at most, where so many are left: as many as are
// due within spreadStep if the backlog goes evenly, quickLeast at least. When the time is over, it
// goes as fast as it can, so a service whose usual load needs that does not fall behind for ever.
func (c *catchUp) part(now time.Time, over time.Duration, left int64) int {
	switch {
	case !c.goesOn(now):
		return firstOfBacklog
	case c.isOver(now):
		return math.MaxInt
	}
	remains := c.by.Sub(now)
	then := float64(c.from) * max(0, remains-spreadStep).Seconds() / over.Seconds()
	return max(quickLeast, int(left)-int(then))
}

// goesOn reports whether there is a backlog that has a time already.
func (c *catchUp) goesOn(now time.Time) bool {
	return !c.by.IsZero() && now.Sub(c.last) <= interrupted
}

// isOver reports whether the time of a backlog is over.
func (c *catchUp) isOver(now time.Time) bool { return c.goesOn(now) && !now.Before(c.by) }

// applied notes a transaction, and gives how long the partition rests, where what comes next has
// waited for long, too: until so much is left as if the backlog went evenly. What comes meanwhile
// waits no longer than what it began with. Where much less is left, as of a small backlog or after
// a reset of offsets, what is left is due evenly from then on.
func (c *catchUp) applied(now time.Time, over time.Duration, l load, stale bool) (rest time.Duration) {
	if !c.goesOn(now) {
		*c = catchUp{}
		if !stale || l.takes(l.all) <= atOnce {
			return 0
		}
		c.by, c.from = now.Add(over), l.applied+l.left
	}
	c.last = now
	remains := c.by.Sub(now)
	switch {
	case l.left <= quickLeast && l.takes(l.left) <= atOnce/2,
		remains > over-over/foundWithin && l.takes(max(l.all, l.left)) <= atOnce,
		remains <= 0 && !stale:
		*c = catchUp{}
		return 0
	case !stale:
		return 0
	}
	rest = max(0, remains-time.Duration(float64(over)*float64(l.left)/float64(c.from)))
	if rest > spreadRest {
		c.from = int64(float64(l.left)*float64(over)/float64(remains)) + 1
	}
	return rest
}

// caughtUp has the partitions of a transaction rest that have a backlog. The caller holds Worker.mu.
func (a *applier) caughtUp(work *work, now time.Time) {
	over, most := a.w.cfg.CatchUpTime, min(spreadRest, a.w.cfg.StallTimeout/2)
	if over == 0 || work.redrive || len(work.records) == 0 {
		return
	}
	if a.spreads(now) == 0 {
		most = 0 // the time passes nevertheless
	}
	l := load{each: work.took / time.Duration(len(work.records)), all: a.backlog(now)}
	for i, p := range work.partitions {
		l.applied, l.left = int64(work.taken[i]), p.left()
		if rest := min(most, p.catchUp.applied(now, over, l, p.stale(now))); rest > 0 {
			p.catchUp.until = a.began.Add(now.Add(rest).Sub(a.began).Round(spreadStep))
		}
		if p.catchUp.isOver(now) {
			a.short.quickly, a.long.quickly = quickly, quickly
		}
	}
}

// spreads is over how long backlogs are spread; 0: they are not, or not now, as there is no room
// for more in memory. The caller holds Worker.mu.
func (a *applier) spreads(now time.Time) time.Duration {
	over := a.w.cfg.CatchUpTime
	if over == 0 {
		return 0
	}
	for _, p := range a.w.partitions {
		if p.fetch.lacksRoom(now) {
			return 0
		}
	}
	return over
}

// endRests ends all rests, as there is no room for more in memory. The caller holds mu.
func (w *Worker) endRests() {
	for _, p := range w.partitions {
		p.catchUp.until = time.Time{}
	}
	for _, a := range w.appliers {
		a.kick()
	}
}

// backlog is how many records are left of partitions that have one, as far as is known. Those that
// wait for a producer's transaction or a lock do not count. The caller holds Worker.mu.
func (a *applier) backlog(now time.Time) (n int64) {
	for _, p := range a.partitions {
		if p.state == running && p.lock == nil && p.stale(now) {
			n += p.left()
		}
	}
	return n
}

// part is how many records of the partition the next transaction has at most.
func (p *partition) part(now time.Time, over time.Duration) int {
	if over == 0 || !p.stale(now) {
		return math.MaxInt
	}
	return p.catchUp.part(now, over, p.left())
}

// left is how many records may be applied, as far as is known.
func (p *partition) left() int64 { return max(int64(len(p.queue.records)), p.log.stable-p.next) }

// stale reports whether what comes next has waited for long. Before it is fetched, what was applied
// last tells.
func (p *partition) stale(now time.Time) bool {
	if len(p.queue.records) > 0 {
		return isStale(p.queue.records[0], now)
	}
	return now.Sub(p.queue.taken) > stale
}

func isStale(r *kgo.Record, now time.Time) bool { return now.Sub(r.Timestamp) > stale }
