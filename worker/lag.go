package worker

import (
	"context"
	"time"
)

// setLag shows how much of a partition's log is not published, and what keeps its end back; nothing
// where nobody knows: an old figure would look like one of today's. The caller holds mu.
func (w *Worker) setLag(p *partition) {
	if p.state == closed {
		return
	}
	now := time.Now()
	if p.silence.why != nil || p.fetch.unmeasured(now, w.cfg.StallTimeout) {
		w.hideLag(p)
		return
	}
	w.metrics.Stands.WithLabelValues(p.name.labels()...).Set(p.log.standing(now).Seconds())
	if p.published.offset >= 0 {
		w.metrics.Lag.WithLabelValues(p.name.labels()...).Set(float64(max(0, p.log.end-p.published.offset)))
	}
	if why := p.log.waitsForTransaction(w.cfg.StallTimeout, now); why != "" && !p.log.told {
		p.log.told = true
		w.loggerOf(p).Warn("commands wait for a producer's transaction", "stable", p.log.stable, "end", p.log.end, "open_for", p.log.standing(now))
	}
}

func (w *Worker) hideLag(p *partition) {
	w.metrics.Lag.DeleteLabelValues(p.name.labels()...)
	w.metrics.Stands.DeleteLabelValues(p.name.labels()...)
}

// runMeasure asks where logs end.
func (w *Worker) runMeasure(stop context.Context) {
	for sleepUntilKicked(stop, nil, w.every.measure) {
		w.measure(stop)
	}
}

// measure asks for the ends of the logs. A leader that does not answer keeps nothing from the
// others.
func (w *Worker) measure(ctx context.Context) {
	partitions := w.measurable()
	answers, err := w.askAbout(ctx, func(p TopicPartition) bool { return partitions[p] != nil })
	w.metrics.measuring.Ill(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for name, log := range answers.Logs {
		p := partitions[name]
		p.log.see(log.Stable, log.End, now)
		p.fetch.measuredAt = now
		w.setLag(p)
	}
}

// measurable are the partitions that are fetched.
func (w *Worker) measurable() map[TopicPartition]*partition {
	w.mu.Lock()
	defer w.mu.Unlock()
	partitions := map[TopicPartition]*partition{}
	for name, p := range w.partitions {
		if p.silence.why == nil {
			partitions[name] = p
		}
	}
	return partitions
}
