package worker

import (
	"time"
)

// silence is about a partition that cannot go on though others do: nobody answers for its log, or
// somebody else has its position locked. Its fetches are paused. What is left of its events is
// published.
type silence struct {
	why   error // why it cannot go on; nil: it can
	asks  int   // in vain, in a row
	askAt time.Time

	// uncompared says that the first claim found no log to compare with what the group was told.
	uncompared bool
}

// How soon Kafka is asked again about a partition that nobody answers for.
const (
	askSoon = 100 * time.Millisecond
	askSlow = 3 * time.Second
)

// silenced notes that a partition cannot go on.
func (p *partition) silenced(why error, now time.Time) {
	s := &p.silence
	s.why, p.quarantineReason = why, ""
	s.asks++
	s.askAt = now.Add(backoff(s.asks, askSoon, askSlow))
}

// postpone has a partition without a claim claimed again, when Kafka is asked again.
func (p *partition) postpone() { p.state, p.reclaim.at = reclaiming, p.silence.askAt }

// awaits reports whether the partition is claimed, and waits for Kafka alone.
func (p *partition) awaits() bool {
	return p.silence.why != nil && (p.state == waiting || p.state == draining)
}
