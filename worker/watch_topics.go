package worker

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// topicsWatched is what the Kafka client believes of the command topics.
type topicsWatched struct {
	ids     map[string][16]byte // when a partition of the topic was first claimed, or since it was last forgotten
	unknown map[string]bool     // brokers do not know the id under which the client fetches
	hidden  map[string]bool     // this worker may not see it; and whether the client left out partitions because of that
}

// errHidden is what is said of a topic that this worker may not see.
var errHidden = &DeniedError{kerr.TopicAuthorizationFailed}

// hide notes a topic that this worker may not see. Partitions of it that the group gave this worker
// the client leaves out for good. The caller holds mu.
func (w *Worker) hide(topic string, leftOut bool) {
	if _, known := w.watched.hidden[topic]; !known {
		w.logger.Error("nothing of a topic is applied, retrying", "topic", topic, "error", errHidden)
	}
	w.watched.hidden[topic] = w.watched.hidden[topic] || leftOut
	if w.cfg.Refused != nil {
		w.cfg.Refused()
	}
}

// seenAgain are topics of which partitions were left out, and that are not hidden any more.
func (t *topicsWatched) seenAgain(found kadm.TopicDetails) (topics []string) {
	for topic, leftOut := range t.hidden {
		if d, ok := found[topic]; !ok || d.Err != nil {
			continue
		}
		delete(t.hidden, topic)
		if leftOut {
			topics = append(topics, topic)
		}
	}
	return topics
}

// notes say which topics are hidden.
func (t *topicsWatched) notes() (notes []string) {
	for topic := range t.hidden {
		notes = append(notes, fmt.Sprintf("%s: nothing of it is applied: %v", topic, errHidden))
	}
	return notes
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

// watchTopics finds topics that were deleted and made again. The client would stand still on them,
// so it has to forget them and begin anew: the group then assigns their partitions again, and their
// claims find that the positions belong to another topic.
func (w *Worker) watchTopics(ctx context.Context) error {
	found, err := ListTopics(ctx, w.client, w.topics()...)
	if err != nil {
		w.metrics.Retries.WithLabelValues("kafka", "watch").Inc()
		return err
	}
	w.mu.Lock()
	again, seen := w.watched.madeAgain(found), w.watched.seenAgain(found)
	for _, t := range found {
		if denied(t) {
			w.hide(t.Topic, false)
		}
	}
	w.mu.Unlock()
	for _, t := range again {
		w.logger.Error("a command topic was deleted and made again, or the brokers have lost its id", "topic", t.Topic, "id", t.ID)
		w.consumeAnew(t.Topic)
	}
	for _, topic := range seen {
		w.logger.Info("Kafka lets this worker see a command topic again", "topic", topic)
		w.consumeAnew(topic)
	}
	return nil
}

// consumeAnew has the group assign a topic's partitions again.
func (w *Worker) consumeAnew(topic string) {
	w.client.PurgeTopicsFromConsuming(topic)
	w.client.AddConsumeTopics(topic)
}
