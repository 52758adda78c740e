package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answerTime is how long a broker may take to say what is wrong.
const answerTime = 5 * time.Second

// watcher looks for what the client never says: it retries for ever, so a missing topic shows only in that nothing is acknowledged. It also replaces
// a client that can never publish again.
type watcher struct {
	relay *Relay
	ended chan struct{}
}

func newWatcher(r *Relay) *watcher { return &watcher{relay: r, ended: make(chan struct{})} }

func (w *watcher) run(ctx context.Context) {
	defer close(w.ended)
	for pause(ctx, w.relay.pace.look) {
		w.relax()
		if stalled := w.stalled(); len(stalled) > 0 || w.relay.Err() != nil {
			w.look(ctx, stalled)
		}
	}
}

// relax forgets what topics refused when no row waits for them any more, because its source was closed.
func (w *watcher) relax() {
	if w.relay.settled() {
		for _, t := range w.relay.health.topics {
			t.refused.clear()
		}
	}
}

// stalled are the topics that acknowledged nothing since the last look though they have something to acknowledge. A topic whose id is not known yet
// is looked at too.
func (w *watcher) stalled() []*topicState {
	var stalled []*topicState
	for _, t := range w.relay.health.topics {
		acks := t.acks.Load()
		if t.out.Load() > 0 && acks == t.seenAcks || acks > 0 && !t.known.Load() {
			stalled = append(stalled, t)
		} else {
			w.relay.health.recovered(t, &t.absent)
		}
		t.seenAcks = acks
	}
	return stalled
}

func (w *watcher) look(ctx context.Context, stalled []*topicState) {
	r := w.relay
	p := r.producer.Load()
	renew := w.lostProducerID(ctx, p.client)
	if len(stalled) > 0 {
		renew = w.ask(ctx, p.client, stalled) || renew
	}
	if !renew || ctx.Err() != nil {
		return
	}
	fresh, err := newProducer(r.kafka, &r.envelope, r.health)
	if err != nil {
		return // the same options made the last one
	}
	r.producer.Store(fresh)
	p.close()
}

// lostProducerID tells whether the client has an error instead of a producer id, which it keeps for ever.
func (w *watcher) lostProducerID(ctx context.Context, client *kgo.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, _, err := client.ProducerID(ctx)
	var k *kerr.Error
	return errors.As(err, &k) && !k.Retriable
}

// ask asks what is wrong with topics, and tells whether one was deleted and made again: the client goes on with the id that it knew.
func (w *watcher) ask(ctx context.Context, client *kgo.Client, topics []*topicState) (madeAgain bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	states, req := map[string]*topicState{}, kmsg.NewPtrMetadataRequest()
	for _, t := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(t.topic)
		req.Topics = append(req.Topics, topic)
		states[t.topic] = t
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		for _, t := range topics {
			w.relay.health.trouble(t, &t.absent, err)
		}
		return false
	}
	for i := range resp.Topics {
		answer := &resp.Topics[i]
		if answer.Topic == nil || states[*answer.Topic] == nil {
			continue
		}
		t := states[*answer.Topic]
		if err := topicError(answer); err != nil {
			w.relay.health.trouble(t, &t.absent, err)
			continue
		}
		w.relay.health.recovered(t, &t.absent)
		madeAgain = madeAgain || t.known.Load() && t.id != answer.TopicID
		t.id = answer.TopicID
		t.known.Store(true)
	}
	return madeAgain
}

func topicError(t *kmsg.MetadataResponseTopic) error {
	if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
		return err
	}
	for _, p := range t.Partitions {
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
			return fmt.Errorf("partition %d: %w", p.Partition, err)
		}
	}
	return nil
}
