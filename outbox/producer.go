package outbox

import (
	"context"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// linger is how long the client waits for more records of a partition before it sends what it has.
// A transaction hands over many rows at once anyway.
const linger = time.Duration(0)

// producer is a Kafka client and what is known of each topic while it lives. It is replaced when it
// can never work again (see watcher.go).
type producer struct {
	client  *kgo.Client
	streams map[string]*stream
}

// producerOpts are what the relay's guarantees rest on, so they come after the options that reach
// Kafka. Nothing may make the client give up: no count of retries, no age of a record, no context.
func producerOpts(base []kgo.Opt) []kgo.Opt {
	return append(base[:len(base):len(base)],
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordRetries(math.MaxInt),
		kgo.UnknownTopicRetries(-1),
		kgo.RecordDeliveryTimeout(0),
		kgo.ProducerLinger(linger),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.MaxBufferedRecords(math.MaxInt), // the relay's own bound is lower
	)
}

func newProducer(base []kgo.Opt, e *Envelope, h *health) (*producer, error) {
	client, err := kgo.NewClient(producerOpts(base)...)
	if err != nil {
		return nil, err
	}
	p := &producer{client: client, streams: map[string]*stream{}}
	for _, topic := range e.topics() {
		p.streams[topic] = newStream(client, h.topics[topic], topic != e.DeadLetterTopic)
	}
	return p, nil
}

// fence waits until the client has called the promise of every record that was done with before
// this call. Promises are called one after another, and a record without a topic is done with at
// once.
func fence(client *kgo.Client) {
	passed := make(chan struct{})
	client.Produce(context.Background(), &kgo.Record{}, func(*kgo.Record, error) { close(passed) })
	<-passed
}

// close fails what is in flight, and returns when the promises of all that was have returned.
func (p *producer) close() {
	p.client.Close()
	fence(p.client)
}
