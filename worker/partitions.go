package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// close ends a partition. The caller holds mu.
func (w *Worker) close(p *partition) {
	if p.state == closed {
		return
	}
	paused := p.paused || p.quarantineReason != ""
	p.state = closed
	p.dropBatches()
	if p.stopDrain != nil {
		p.stopDrain()
	}
	w.relay.Close(p.claim.Source.ID)
	delete(w.partitions, p.name())
	p.applier.partitions = slices.DeleteFunc(p.applier.partitions, func(own *partition) bool { return own == p })
	if paused { // or it stays paused if it ever comes back
		w.client.ResumeFetchPartitions(p.asMap())
	}
	w.hideLag(p)
	w.count()
}

// open starts a partition, or starts it again, from its claim: rows of before the claim are
// published first. The caller holds mu.
func (w *Worker) open(p *partition) {
	if p.quarantineReason != "" { // a fetch from there would only give errors, many of them
		p.paused = true
		w.client.PauseFetchPartitions(p.asMap())
	}
	w.relay.Open(p.claim.Source, p.applier.budget, p.claim.Published, p.claim.NextRow)
	if p.claim.Published == p.claim.NextRow {
		w.start(p)
		return
	}
	p.state = draining
	ctx, cancel := context.WithCancel(context.Background())
	p.stopDrain = cancel
	claim := p.claim
	w.drains.Go(func() {
		defer cancel()
		if w.relay.Flush(ctx, claim.Source.ID) != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if p.state == draining && p.claim.Token == claim.Token {
			w.start(p)
		}
	})
}

// start lets a partition's records be applied, unless its position cannot be used, or nobody
// answers for its log. The caller holds mu.
func (w *Worker) start(p *partition) {
	if p.quarantineReason != "" {
		w.quarantine(p)
		return
	}
	p.saveNow = true
	w.kickReporter()
	if p.silence != nil {
		p.state = waiting
		kick(w.ask)
		return
	}
	p.state = running
	w.count()
	p.applier.kick()
	kick(w.redrive)
}

// quarantine keeps a partition paused until an operator's decision fences its claim. The rows that
// it has are published. The caller holds mu.
func (w *Worker) quarantine(p *partition) {
	p.state, p.paused = quarantined, true
	p.drop()
	p.dropBatches()
	w.client.PauseFetchPartitions(p.asMap())
	w.logger.Error(fmt.Sprintf("partition quarantined: nothing of it is applied until an operator decides; see `%[1]s offsets list`, and "+
		"`%[1]s offsets accept` or `reset`", w.cfg.Service), "topic", p.topic, "partition", p.number, "position", p.next, "reason", p.quarantineReason)
	w.count()
}

// count sets the gauges of partitions. The caller holds mu.
func (w *Worker) count() {
	held, waiting := 0, 0
	for _, p := range w.partitions {
		if p.state == quarantined {
			held++
		}
		var locked *LockedError
		if p.lock != nil || errors.As(p.silence, &locked) {
			waiting++
		}
	}
	w.metrics.Locked.Set(float64(waiting))
	w.metrics.Assigned.Set(float64(len(w.partitions) + w.unclaimed(time.Now())))
	w.metrics.Quarantined.Set(float64(held))
}

// requestReclaim has the reclaimer claim a partition again. fencedAt is zero if it may do so at
// once. The caller holds mu.
func (w *Worker) requestReclaim(p *partition, fencedAt time.Time) {
	if p.state == closed || p.state == reclaiming {
		return
	}
	p.state, p.fencedAt = reclaiming, fencedAt
	p.dropBatches()
	if p.stopDrain != nil {
		p.stopDrain()
	}
	w.kickReclaimer()
}

func (w *Worker) kickReclaimer() { kick(w.wakeReclaimer) }
func (w *Worker) kickReporter()  { kick(w.report) }

func kick(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
