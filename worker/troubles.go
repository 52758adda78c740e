package worker

import (
	"context"
	"errors"
	"time"
)

// setTrouble logs when nothing comes any more, and when that has ended. The caller holds mu.
func (w *Worker) setTrouble(p *partition, why string, now time.Time) {
	switch {
	case why == p.trouble.why:
		return
	case why == "" && p.trouble.unapplied:
		p.trouble.unapplied = false
		w.loggerOf(p).Info("a partition is applied again", "after", now.Sub(p.trouble.since).Truncate(time.Second).String())
	case why == "":
		w.loggerOf(p).Info("partition is fetched again", "after", now.Sub(p.trouble.since).Truncate(time.Second).String())
	case p.trouble.why == "" && p.trouble.unapplied:
		p.trouble.since = p.progress.since
		w.loggerOf(p).Error("nothing of a partition is applied, retrying", "position", p.next, "stable", p.log.stable, "reason", why)
	case p.trouble.why == "":
		p.trouble.since = now
		w.loggerOf(p).Error("nothing comes from a partition, retrying", "position", p.next, "stable", p.log.stable, "reason", why)
	default:
		w.throttled.warn(p.whatStands()+", for another reason", errors.New(why), "topic", p.name.Topic, "partition", p.name.Partition)
	}
	p.trouble.why = why
}

// saveTroubles writes down what has changed, for people who look from elsewhere.
func (w *Worker) saveTroubles(ctx context.Context) {
	changed := w.changedTroubles()
	if len(changed) == 0 {
		return
	}
	if err := w.store.SaveTroubles(ctx, changed); err != nil {
		w.metrics.Retries.WithLabelValues("postgres", "report").Inc()
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range changed {
		for _, p := range w.partitions {
			if p.claim.Source.ID == t.Source && p.claim.Token == t.Token {
				p.trouble.saved = t.Why
			}
		}
	}
}

func (w *Worker) changedTroubles() (changed []Trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if p.trouble.why != p.trouble.saved {
			changed = append(changed, Trouble{Source: p.claim.Source.ID, Token: p.claim.Token, Since: p.trouble.since, Why: p.trouble.why})
		}
	}
	return changed
}
