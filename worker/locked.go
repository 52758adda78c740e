package worker

import (
	"fmt"
	"time"
)

// locked is about what somebody outside of the service has locked, and a lane needs: it applies
// what comes before, and waits there alone.
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

// blocked reports whether the lane's next record needs what is locked.
func (l *lane) blocked() bool {
	return l.lock != nil && len(l.queue) > 0 && l.queue[0].Offset >= l.lock.from
}

// beyondLock reports whether a record must wait for the lock.
func (l *lane) beyondLock(offset int64) bool { return l.lock != nil && offset >= l.lock.from }

// standAside has the lanes wait whose commands need what is locked; where nobody knows which,
// smaller batches find out.
func (a *applier) standAside(work *work, e *LockedError) {
	a.release(work)
	w := a.w
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case work.kept:
		l := work.lanes[0]
		i := work.isolation()
		i.limit, i.at = max(1, len(work.records)/2), time.Now().Add(lockedAgain)
		w.complaints.warn("kept commands wait for what somebody else has locked", e, "topic", l.topic, "partition", l.partition)
	case len(e.From) > 0:
		for i, from := range e.From {
			w.wait(work.lanes[i], from, e)
		}
	case len(work.records) > 1:
		a.limit = max(1, len(work.records)/2)
	default:
		w.wait(work.lanes[0], work.batch.Lanes[0].From, e)
	}
}

// wait has a lane wait at an offset. The caller holds mu.
func (w *Worker) wait(l *lane, from int64, e *LockedError) {
	now := time.Now()
	was := l.lock
	l.lock = &locked{from: from, what: e.What, holder: e.Holder, since: now, againAt: now.Add(jitter(lockedAgain))}
	if was != nil {
		l.lock.since = was.since
	}
	if was == nil || was.what != e.What || was.holder != e.Holder {
		w.logger.Warn("a partition waits alone for what somebody else has locked", "topic", l.topic, "partition", l.partition, "offset", from,
			"locked", e.What, "holder", e.Holder)
	}
	w.count()
}

// free ends a lane's wait. The caller holds mu.
func (w *Worker) free(l *lane) {
	w.logger.Info("a partition goes on: what it waited for is not locked any more", "topic", l.topic, "partition", l.partition, "locked", l.lock.what,
		"waited", time.Since(l.lock.since))
	l.lock = nil
	w.count()
}

func (l *locked) String() string {
	return fmt.Sprintf("waits at offset %d for %s, locked by %s", l.from, l.what, l.holder)
}
