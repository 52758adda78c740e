package worker

import (
	"context"
	"time"
)

const (
	watchEvery      = 10 * time.Second
	watchAtMost     = time.Second     // between two looks, whoever asks for them
	watchQuarantine = 2 * time.Second // an operator may have decided, and the notification of it been lost
)

// runWatch looks for what nobody tells: topics that were deleted and made again, claims that were lost without this worker having applied or
// saved anything since, and sources that nobody publishes any more. An idle worker asks Kafka once and the database once each time.
func (w *Worker) runWatch(stop context.Context) {
	strays := newStrays(w)
	for wait := jitter(watchEvery); sleepUntilKicked(stop, w.watch, wait); wait = w.watchAgain() {
		pause(stop, watchAtMost)
		w.watchTopics(stop)
		holdings, err := w.store.Holdings(stop)
		if err != nil {
			w.metrics.Retries.WithLabelValues("postgres", "watch").Inc()
			continue
		}
		w.watchClaims(holdings)
		strays.publish(stop, holdings)
	}
}

func (w *Worker) watchAgain() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lanes {
		if l.state == quarantined {
			return watchQuarantine
		}
	}
	return watchEvery
}

// watchClaims finds lanes whose claim is not the last: an operator decided about the partition, or another worker claimed it by mistake.
func (w *Worker) watchClaims(holdings []Holding) {
	tokens := make(map[int32]Token, len(holdings))
	for _, h := range holdings {
		tokens[h.Source.ID] = h.Token
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lanes {
		settled := l.state == running || l.state == quarantined
		if token, ok := tokens[l.claim.Source.ID]; settled && ok && token != l.claim.Token {
			w.metrics.Fenced.Inc()
			w.doubt(l, time.Now())
		}
	}
}
