package worker

import (
	"time"

	"allocation/outbox/telemetry"
)

// standAside has the partitions wait whose commands need what is locked; where nobody knows which,
// smaller transactions find out.
func (a *applier) standAside(work *work, e *LockedError) {
	a.release(work)
	w, now := a.w, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case work.redrive:
		work.isolation().standAside(len(work.records), now)
		w.throttled.warn("parked commands wait for what somebody else has locked", e, work.aboutFirst().LogAttrs()...)
	case len(e.From) > 0:
		for i, from := range e.From {
			w.wait(work.partitions[i], work.aboutNext(i, from), e, now)
		}
	case len(work.records) > 1:
		work.pace.halve(len(work.records))
	default:
		w.wait(work.partitions[0], work.aboutNext(0, work.transaction.Moves[0].From), e, now)
	}
}

// wait has a partition wait at a command. The caller holds mu.
func (w *Worker) wait(p *partition, command telemetry.Record, e *LockedError, now time.Time) {
	if p.wait(command.Offset, e.What, e.Holder, now) {
		w.logger.With(command.LogAttrs()...).Warn("a partition waits alone for what somebody else has locked", "locked", e.What, "holder", e.Holder)
	}
	w.count()
}

// passLock has a partition go on when what it waited for is not locked any more. The caller holds
// mu.
func (w *Worker) passLock(p *partition) {
	if passed := p.passLock(); passed != nil {
		w.loggerOf(p).Info("a partition goes on: what it waited for is not locked any more", "locked", passed.what, "waited", time.Since(passed.since))
		w.count()
	}
}
