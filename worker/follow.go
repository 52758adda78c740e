package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// follow has what is around a partition follow its state: whether it is fetched, and who is woken.
// It is called after each change of the state. The caller holds mu.
func (w *Worker) follow(p *partition) {
	w.flow(p)
	switch {
	case p.state == reclaiming:
		kick(w.wakeReclaimer)
	case p.toSeek():
		w.interruptPoll()
	case p.awaits():
		kick(w.ask)
	}
	w.count()
}

// flow has the client pause a partition, or fetch it again. The caller holds mu.
func (w *Worker) flow(p *partition) {
	pauses := p.pauses(w.queuedBytes(), max(partitionQueueMin, queueBytes/max(1, len(w.partitions))))
	switch {
	case pauses == p.paused:
		return
	case pauses:
		w.client.PauseFetchPartitions(p.name.asMap())
	default:
		w.client.ResumeFetchPartitions(p.name.asMap())
	}
	p.paused = pauses
}

func (w *Worker) queuedBytes() (n int) {
	for _, p := range w.partitions {
		n += p.queue.bytes
	}
	return n
}

// open starts a partition, or starts it again, from its claim: rows of before the claim are
// published first. The caller holds mu.
func (w *Worker) open(p *partition) {
	w.relay.Open(p.claim.Source, p.applier.budget, p.claim.Published, p.claim.NextRow)
	if !p.open() {
		w.started(p)
		return
	}
	w.follow(p)
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
			p.start()
			w.started(p)
		}
	})
}

// started has those who work on a partition begin. The caller holds mu.
func (w *Worker) started(p *partition) {
	switch p.state {
	case quarantined:
		w.sayQuarantined(p)
	case running:
		p.applier.kick()
		kick(w.redrive)
	}
	kick(w.report)
	w.follow(p)
}

// quarantine keeps a partition from being fetched until an operator decides. The caller holds mu.
func (w *Worker) quarantine(p *partition) {
	p.quarantine()
	w.sayQuarantined(p)
	w.follow(p)
}

func (w *Worker) sayQuarantined(p *partition) {
	w.loggerOf(p).Error(fmt.Sprintf("partition quarantined: nothing of it is applied until an operator decides; see `%[1]s offsets list`, and "+
		"`%[1]s offsets accept` or `reset`", w.cfg.Service), "position", p.next, "reason", p.quarantineReason)
}

// requestReclaim has the reclaimer claim a partition again. fencedAt is zero if it may do so at
// once. The caller holds mu.
func (w *Worker) requestReclaim(p *partition, fencedAt time.Time) {
	if p.requestReclaim(fencedAt) {
		w.follow(p)
	}
}

// close ends a partition. The caller holds mu.
func (w *Worker) close(p *partition) {
	if !p.close() {
		return
	}
	w.relay.Close(p.claim.Source.ID)
	delete(w.partitions, p.name)
	p.applier.partitions = slices.DeleteFunc(p.applier.partitions, func(own *partition) bool { return own == p })
	if p.paused { // or it stays paused if it ever comes back
		w.client.ResumeFetchPartitions(p.name.asMap())
	}
	w.hideLag(p)
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
		if p.lock != nil || errors.As(p.silence.why, &locked) {
			waiting++
		}
	}
	w.metrics.Locked.Set(float64(waiting))
	w.metrics.Assigned.Set(float64(len(w.partitions) + w.unclaimed(time.Now())))
	w.metrics.Quarantined.Set(float64(held))
}

// loggerOf names a partition in what is logged.
func (w *Worker) loggerOf(p *partition) *slog.Logger {
	return w.logger.With("topic", p.name.Topic, "partition", p.name.Partition)
}
