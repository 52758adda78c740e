package worker

import (
	"cmp"
	"context"
	"time"
)

// periods say how often a worker looks at what nobody tells it.
type periods struct{ watch, measure time.Duration }

const (
	watchEvery      = 10 * time.Second
	watchAtMost     = time.Second     // the least time between two looks
	watchQuarantine = 2 * time.Second // an operator may have decided, and the notification of it been lost; or a foreign member have left
)

// runWatch looks for what nobody tells: topics that were deleted and made again, claims that were
// lost without this worker having applied or saved anything since, and sources that nobody
// publishes any more. An idle worker asks Kafka once and the database once each time.
func (w *Worker) runWatch(stop context.Context) {
	orphans, left := newOrphans(w), newLeftAlone(w)
	w.metrics.groupWatch.Begin()
	for wait := jitter(w.every.watch); sleepUntilKicked(stop, w.watch, wait); wait = w.watchAgain() {
		pause(stop, watchAtMost)
		err := w.watchTopics(stop)
		seen, unseen := w.watchGroup(stop)
		asked := time.Now()
		positions, unread := w.store.PositionRecords(stop)
		w.metrics.groupWatch.Ill(cmp.Or(err, unseen, unread))
		if unread != nil {
			w.metrics.Retries.WithLabelValues("postgres", "watch").Inc()
			continue
		}
		w.watchClaims(positions, asked)
		left.look(stop, seen, positions)
		if w.barred.Load() == nil {
			orphans.publish(stop, seen, positions)
		}
	}
}

func (w *Worker) watchAgain() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.groupView.foreign) > 0 || w.barred.Load() != nil {
		return watchQuarantine
	}
	for _, p := range w.partitions {
		if p.state == quarantined {
			return watchQuarantine
		}
	}
	return w.every.watch
}

// watchClaims finds partitions whose claim is not the last: an operator decided about the
// partition, or another worker claimed it by mistake. It also finds those that are not where they
// were left, or have no position at all, though nothing moved them since the question was asked:
// the database lost commits. Where it lost only how far rows are published, that is saved again.
func (w *Worker) watchClaims(positions []PositionRecord, asked time.Time) {
	found := make(map[int32]PositionRecord, len(positions))
	for _, at := range positions {
		found[at.Source.ID] = at
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		settled := p.state == running || p.state == quarantined || p.state == waiting
		at, ok := found[p.claim.Source.ID]
		switch {
		case !settled || p.busy || !p.movedAt.Before(asked):
		case ok && at.Token != p.claim.Token:
			w.metrics.Fenced.Inc()
			w.requestReclaim(p, time.Now())
		case !ok || p.isAheadOf(at.NextOffset, at.NextRow):
			w.requestReclaim(p, time.Time{})
		case at.Published < p.published.saved:
			p.published.saved, p.published.saveNow = at.Published, true
		}
	}
}
