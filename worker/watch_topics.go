package worker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
)

// topicsWatched is what the Kafka client believes of the command topics.
type topicsWatched struct {
	ids     map[string][16]byte // when a partition of the topic was first claimed, or since it was last forgotten
	unknown map[string]bool     // brokers do not know the id under which the client fetches
}

func (t *topicsWatched) learn(topic string, id [16]byte) {
	if _, known := t.ids[topic]; !known {
		t.ids[topic] = id
	}
}

// madeAgain are the topics that are others now than those that the client fetches.
func (t *topicsWatched) madeAgain(found kadm.TopicDetails) (topics []kadm.TopicDetail) {
	for _, d := range found {
		if d.Err != nil || d.ID == (kadm.TopicID{}) {
			continue
		}
		t.learn(d.Topic, d.ID)
		if t.ids[d.Topic] != d.ID || t.unknown[d.Topic] {
			topics = append(topics, d)
		}
		t.ids[d.Topic] = d.ID
		delete(t.unknown, d.Topic)
	}
	return topics
}

// watchTopics finds topics that were deleted and made again. The client would stand still on them, so it has to forget them and begin anew:
// the group then assigns their partitions again, and their claims find that the positions belong to another topic.
func (w *Worker) watchTopics(ctx context.Context) error {
	found, err := ListTopics(ctx, w.client, w.topics()...)
	if err != nil {
		w.metrics.Retries.WithLabelValues("kafka", "watch").Inc()
		return err
	}
	w.mu.Lock()
	again := w.watched.madeAgain(found)
	w.mu.Unlock()
	for _, t := range again {
		w.logger.Error("a command topic was deleted and made again, or the brokers have lost its id", "topic", t.Topic, "id", t.ID)
		w.client.PurgeTopicsFromConsuming(t.Topic)
		w.client.AddConsumeTopics(t.Topic)
	}
	return nil
}
