package worker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

const (
	watchEvery      = 10 * time.Second
	watchQuarantine = 3 * time.Second // an operator may have decided, and the notification of it been lost
)

// runWatch looks for what nobody tells: topics that were deleted and made again, claims that were lost without this worker having applied or
// saved anything since, and sources that nobody publishes any more. An idle worker asks Kafka once and the database once each time.
func (w *Worker) runWatch(stop context.Context) {
	strays := newStrays(w)
	for wait := jitter(watchEvery); sleepUntilKicked(stop, nil, wait); wait = w.watchAgain() {
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

// watchTopics finds topics that were deleted and made again. The client would stand still on them, so it has to forget them and begin anew:
// the group then assigns their partitions again, and their claims find that the positions belong to another topic.
func (w *Worker) watchTopics(ctx context.Context) {
	topics, err := w.admin.ListTopics(ctx, w.topics()...)
	if err != nil {
		w.metrics.Retries.WithLabelValues("kafka", "watch").Inc()
		return
	}
	for _, t := range topics {
		if t.Err != nil || t.ID == (kadm.TopicID{}) {
			continue
		}
		old, known := w.topicID[t.Topic]
		w.topicID[t.Topic] = t.ID
		if known && old != t.ID {
			w.logger.Error("a command topic was deleted and made again", "topic", t.Topic, "id", t.ID, "before", kadm.TopicID(old))
			w.client.PurgeTopicsFromConsuming(t.Topic)
			w.client.AddConsumeTopics(t.Topic)
		}
	}
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
