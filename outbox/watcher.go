package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/outbox/pulse"
)

// answerTime is how long a broker may take to say what is wrong.
const answerTime = 5 * time.Second

// watcher looks for what the client never says: it retries for ever, so a missing topic shows only
// in that nothing is acknowledged. It also replaces a client that can never publish again.
type watcher struct {
	relay *Relay
	part  *pulse.Part
}

func newWatcher(r *Relay) *watcher { return &watcher{relay: r} }

func (w *watcher) run(ctx context.Context) {
	w.part.Begin()
	for pause(ctx, w.relay.pace.look) {
		now := time.Now()
		w.relay.health.forget(now)
		if silent := w.silent(now); len(silent) > 0 || w.relay.health.troubled() {
			w.look(ctx, silent)
		}
		w.part.Well()
	}
}

// silentTopic is one that acknowledged nothing since the last look though it has something to
// acknowledge, or not all of what is old.
type silentTopic struct {
	*topicState
	unacknowledged *unacknowledgedError // nil: not for long
}

// silent are the topics to ask about. One whose id is not known yet is asked about too.
func (w *watcher) silent(now time.Time) (silent []silentTopic) {
	for _, t := range w.relay.health.topics {
		acks := t.acks.Load()
		if acks != t.seenAcks {
			t.ackedAt.set(now)
		}
		out, since := t.turn(now)
		stuck := unacknowledged(out, now.Sub(since), w.relay.pace.patience, t.moving(w.relay.pace.patience, now))
		if stuck != nil || t.out() > 0 && acks == t.seenAcks || acks > 0 && !t.known.Load() {
			silent = append(silent, silentTopic{t, stuck})
		} else {
			w.relay.health.heard(t)
		}
		t.seenAcks = acks
	}
	return silent
}

func (w *watcher) look(ctx context.Context, silent []silentTopic) {
	r := w.relay
	p := r.producer.Load()
	renew := w.lostProducerID(ctx, p.client)
	if len(silent) > 0 {
		renew = w.ask(ctx, p.client, silent) || renew
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
	for _, a := range r.alone {
		a.renew()
	}
}

// lostProducerID reports whether the client has an error instead of a producer id, which it keeps
// for ever.
func (w *watcher) lostProducerID(ctx context.Context, client *kgo.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, _, err := client.ProducerID(ctx)
	var k *kerr.Error
	return errors.As(err, &k) && !k.Retriable
}

// ask asks what is wrong with topics, and reports whether one was deleted and made again: the
// client goes on with the id that it knew.
func (w *watcher) ask(ctx context.Context, client *kgo.Client, topics []silentTopic) (madeAgain bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	states, req := map[string]silentTopic{}, kmsg.NewPtrMetadataRequest()
	for _, t := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(t.topic)
		req.Topics = append(req.Topics, topic)
		states[t.topic] = t
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		for _, t := range topics {
			w.relay.health.silent(t.topicState, err, false)
		}
		return false
	}
	for i := range resp.Topics {
		answer := &resp.Topics[i]
		if answer.Topic == nil || states[*answer.Topic].topicState == nil {
			continue
		}
		t := states[*answer.Topic]
		if w.check(t, answer) {
			madeAgain = madeAgain || t.known.Load() && t.id != answer.TopicID
			t.id = answer.TopicID
			t.known.Store(true)
		}
	}
	return madeAgain
}

// check notes what an answer says of a topic, and reports whether it is there. That nothing is
// wrong with the answer does not mean that records are taken: only an acknowledgement does.
func (w *watcher) check(t silentTopic, answer *kmsg.MetadataResponseTopic) (there bool) {
	health := w.relay.health
	others := t.moving(w.relay.pace.patience, time.Now())
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		health.silent(t.topicState, err, false)
		return false
	}
	for _, p := range answer.Partitions {
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
			health.silent(t.topicState, fmt.Errorf("partition %d: %w", p.Partition, err), others)
			return false
		}
	}
	if t.unacknowledged == nil {
		t.silence.clear()
		return true
	}
	t.unacknowledged.lacking = lackingReplicas(answer.Partitions)
	health.silent(t.topicState, t.unacknowledged, others)
	return true
}
