package worker

import "time"

// catchUp spreads what is much over Config.CatchUpTime. Other programs on the machine, or with the
// same database, slow down less then. When that time is over, it goes as fast as it can. Otherwise a
// service whose usual load needs more than that would fall behind for ever.
type catchUp struct {
	time time.Duration
	by   time.Time // when it is to be over; zero: there is nothing to catch up with
}

// While what is much is spread, a transaction is to take unnoticed at most, because others may wait
// for it. Afterwards those with much waiting rest restShare times as long as it took, at most. So a
// backlog that is small is soon gone.
const (
	unnoticed = quickly / 4
	restShare = 9
)

// see notes whether partitions have much waiting. Once all are nearly done, the next backlog has a
// time of its own.
func (c *catchUp) see(now time.Time, much, done bool) {
	switch {
	case much && c.by.IsZero():
		c.by = now.Add(c.time)
	case done:
		c.by = time.Time{}
	}
}

// quickly is how long a transaction is to take at most.
func (c *catchUp) quickly(now time.Time) time.Duration {
	if now.Before(c.by) {
		return unnoticed
	}
	return quickly
}

// rest is how long those with much waiting rest after a transaction that applied so many records,
// where so many are left.
func (c *catchUp) rest(now time.Time, took time.Duration, applied, left int64) time.Duration {
	remains := c.by.Sub(now) + took
	if remains <= took || left == 0 {
		return 0
	}
	even := time.Duration(float64(remains) * float64(applied) / float64(applied+left))
	return min(max(0, even-took), restShare*took, restMost)
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
