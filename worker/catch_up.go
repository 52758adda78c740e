package worker

import "time"

// catchUp spreads a backlog over Config.CatchUpTime. Other programs on the machine, or with the
// same database, slow down less then.
type catchUp struct {
	time time.Duration
	by   time.Time // when it is to be over; zero: there is no backlog
	from int64     // how many records it had
}

// A backlog is what takes longer than atOnce at full speed: a moment's rush is none, because those
// who wait for it would wait longer. Those with much waiting rest restShare times as long as each
// transaction took, at most. So a small backlog is over before its time. A transaction is to take
// unnoticed at most, also in a rush, because others may wait for it.
const (
	atOnce    = time.Second
	unnoticed = quickly / 4
	restShare = 9
)

// foundWithin is in which part of the time, one divided by it, a backlog may turn out to be larger:
// partitions are fetched one after the other.
const foundWithin = 10

// done notes that nothing is left. The next backlog has a time of its own.
func (c *catchUp) done() { c.by, c.from = time.Time{}, 0 }

// quickly is how long a transaction is to take at most.
func (c *catchUp) quickly(now time.Time) time.Duration {
	if c.time == 0 || !c.by.IsZero() && !now.Before(c.by) {
		return quickly
	}
	return unnoticed
}

// rest is how long those with much waiting rest after a transaction that applied so many records,
// where so many are left. They do not while more is left than would be if the backlog went evenly:
// what comes meanwhile is to wait no longer than what it began with. After the time they go as fast
// as they can, so a service whose usual load needs that does not fall behind for ever.
func (c *catchUp) rest(now time.Time, took time.Duration, applied, left int64) time.Duration {
	if c.by.IsZero() {
		if c.time == 0 || took.Seconds()*float64(left) <= atOnce.Seconds()*float64(applied) {
			return 0
		}
		c.by = now.Add(c.time)
	}
	remains := c.by.Sub(now)
	if remains > c.time-c.time/foundWithin {
		c.from = max(c.from, left)
	}
	if float64(left) > float64(c.from)*remains.Seconds()/c.time.Seconds() {
		return 0
	}
	return min(restShare*took, restMost)
}

// lag is how many records the applier's partitions have left, as far as is known. Those that wait
// for a producer's transaction do not count. The caller holds Worker.mu.
func (a *applier) lag() (n int64) {
	for _, p := range a.partitions {
		if p.state == running {
			n += max(int64(len(p.queue.records)), p.log.stable-p.next)
		}
	}
	return n
}
