package worker

import (
	"fmt"
	"time"
)

// locked is about what somebody outside of the service has locked, and a partition needs: it
// applies what comes before, and waits there alone.
type locked struct {
	from    int64 // the first record that needs it
	what    string
	holder  string
	since   time.Time
	againAt time.Time // not before this is it tried again
}

// lockedAgain is how soon it is tried again. It costs little: the store knows what is locked, and
// does not wait for it.
const lockedAgain = 500 * time.Millisecond

// blocked reports whether the partition's next record needs what is locked.
func (p *partition) blocked() bool {
	return p.lock != nil && len(p.queue) > 0 && p.queue[0].Offset >= p.lock.from
}

// beyondLock reports whether a record must wait for the lock.
func (p *partition) beyondLock(offset int64) bool { return p.lock != nil && offset >= p.lock.from }

// standAside has the partitions wait whose commands need what is locked; where nobody knows which,
// smaller transactions find out.
func (a *applier) standAside(work *work, e *LockedError) {
	a.release(work)
	w := a.w
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case work.redrive:
		p := work.partitions[0]
		i := work.isolation()
		i.limit, i.at = max(1, len(work.records)/2), time.Now().Add(lockedAgain)
		w.throttled.warn("parked commands wait for what somebody else has locked", e, "topic", p.topic, "partition", p.number)
	case len(e.From) > 0:
		for i, from := range e.From {
			w.wait(work.partitions[i], from, e)
		}
	case len(work.records) > 1:
		a.limit = max(1, len(work.records)/2)
	default:
		w.wait(work.partitions[0], work.transaction.Moves[0].From, e)
	}
}

// wait has a partition wait at an offset. The caller holds mu.
func (w *Worker) wait(p *partition, from int64, e *LockedError) {
	now := time.Now()
	was := p.lock
	p.lock = &locked{from: from, what: e.What, holder: e.Holder, since: now, againAt: now.Add(jitter(lockedAgain))}
	if was != nil {
		p.lock.since = was.since
	}
	if was == nil || was.what != e.What || was.holder != e.Holder {
		w.logger.Warn("a partition waits alone for what somebody else has locked", "topic", p.topic, "partition", p.number, "offset", from,
			"locked", e.What, "holder", e.Holder)
	}
	w.count()
}

// free ends a partition's wait. The caller holds mu.
func (w *Worker) free(p *partition) {
	w.logger.Info("a partition goes on: what it waited for is not locked any more", "topic", p.topic, "partition", p.number, "locked", p.lock.what,
		"waited", time.Since(p.lock.since))
	p.lock = nil
	w.count()
}

func (l *locked) String() string {
	return fmt.Sprintf("waits at offset %d for %s, locked by %s", l.from, l.what, l.holder)
}
