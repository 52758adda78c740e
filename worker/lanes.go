package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// close ends a lane. The caller holds mu.
func (w *Worker) close(l *lane) {
	if l.state == closed {
		return
	}
	paused := l.paused || l.why != ""
	l.state = closed
	l.dropBatches()
	if l.ended != nil {
		l.ended()
	}
	w.relay.Close(l.claim.Source.ID)
	delete(w.lanes, l.name())
	l.applier.lanes = slices.DeleteFunc(l.applier.lanes, func(own *lane) bool { return own == l })
	if paused { // or it stays paused if it ever comes back
		w.client.ResumeFetchPartitions(l.asMap())
	}
	w.hideLag(l)
	w.count()
}

// open starts a lane, or starts it again, from its claim: rows of before the claim are published
// first. The caller holds mu.
func (w *Worker) open(l *lane) {
	if l.why != "" { // a fetch from there would only give errors, many of them
		l.paused = true
		w.client.PauseFetchPartitions(l.asMap())
	}
	w.relay.Open(l.claim.Source, l.applier.room, l.claim.Published, l.claim.NextRow)
	if l.claim.Published == l.claim.NextRow {
		w.start(l)
		return
	}
	l.state = draining
	ctx, cancel := context.WithCancel(context.Background())
	l.ended = cancel
	claim := l.claim
	w.drains.Go(func() {
		defer cancel()
		if w.relay.Flush(ctx, claim.Source.ID) != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if l.state == draining && l.claim.Token == claim.Token {
			w.start(l)
		}
	})
}

// start lets a lane's records be applied, unless its position cannot be used, or nobody answers for
// its log. The caller holds mu.
func (w *Worker) start(l *lane) {
	if l.why != "" {
		w.quarantine(l)
		return
	}
	l.saveNow = true
	w.kickReporter()
	if l.silence != nil {
		l.state = waiting
		kick(w.ask)
		return
	}
	l.state = running
	w.count()
	l.applier.kick()
	kick(w.keep)
}

// quarantine keeps a lane paused until an operator's decision fences its claim. The rows that it
// has are published. The caller holds mu.
func (w *Worker) quarantine(l *lane) {
	l.state, l.paused = quarantined, true
	l.drop()
	l.dropBatches()
	w.client.PauseFetchPartitions(l.asMap())
	w.logger.Error(fmt.Sprintf("partition quarantined: nothing of it is applied until an operator decides; see `%[1]s offsets list`, and "+
		"`%[1]s offsets accept` or `reset`", w.cfg.Service), "topic", l.topic, "partition", l.partition, "position", l.next, "reason", l.why)
	w.count()
}

// count sets the gauges of partitions. The caller holds mu.
func (w *Worker) count() {
	held, waiting := 0, 0
	for _, l := range w.lanes {
		if l.state == quarantined {
			held++
		}
		var locked *LockedError
		if l.lock != nil || errors.As(l.silence, &locked) {
			waiting++
		}
	}
	w.metrics.Locked.Set(float64(waiting))
	w.metrics.Assigned.Set(float64(len(w.lanes) + w.unclaimed(time.Now())))
	w.metrics.Quarantined.Set(float64(held))
}

// doubt gives a lane to the recoverer. fencedAt is zero where it may claim at once. The caller
// holds mu.
func (w *Worker) doubt(l *lane, fencedAt time.Time) {
	if l.state == closed || l.state == doubtful {
		return
	}
	l.state, l.fencedAt = doubtful, fencedAt
	l.dropBatches()
	if l.ended != nil {
		l.ended()
	}
	w.kickRecoverer()
}

func (w *Worker) kickRecoverer() { kick(w.recover) }
func (w *Worker) kickReporter()  { kick(w.report) }

func kick(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
