package worker

import "time"

// standAside has the partitions wait whose commands need what is locked; where nobody knows which,
// smaller transactions find out.
func (a *applier) standAside(work *work, e *LockedError) {
	a.release(work)
	w, now := a.w, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case work.redrive:
		p := work.partitions[0]
		work.isolation().standAside(len(work.records), now)
		w.throttled.warn("parked commands wait for what somebody else has locked", e, "topic", p.name.Topic, "partition", p.name.Partition)
	case len(e.From) > 0:
		for i, from := range e.From {
			w.wait(work.partitions[i], from, e, now)
		}
	case len(work.records) > 1:
		a.pace.halve(len(work.records))
	default:
		w.wait(work.partitions[0], work.transaction.Moves[0].From, e, now)
	}
}

// wait has a partition wait at an offset. The caller holds mu.
func (w *Worker) wait(p *partition, from int64, e *LockedError, now time.Time) {
	if p.wait(from, e.What, e.Holder, now) {
		w.logger.Warn("a partition waits alone for what somebody else has locked", "topic", p.name.Topic, "partition", p.name.Partition, "offset", from,
			"locked", e.What, "holder", e.Holder)
	}
	w.count()
}

// passLock has a partition go on when what it waited for is not locked any more. The caller holds
// mu.
func (w *Worker) passLock(p *partition) {
	if passed := p.passLock(); passed != nil {
		w.logger.Info("a partition goes on: what it waited for is not locked any more", "topic", p.name.Topic, "partition", p.name.Partition,
			"locked", passed.what, "waited", time.Since(passed.since))
		w.count()
	}
}
