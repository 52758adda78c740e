package outbox

import (
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The largest batch and request of the client for outsize dead letters. Brokers limit by the topic, and take requests of 100 MiB.
const (
	outsizeBatch   = 64 << 20
	outsizeRequest = 100 << 20
)

// outsize publishes dead letters that were too large, or were in a batch that was. It has a client of its own that has one record at a time: a
// record that is refused there is itself too large, and is published in a smaller form. So one such dead letter keeps nothing else back.
type outsize struct {
	relay *Relay
	ended chan struct{}

	mu    sync.Mutex
	queue []*flight
	wake  chan struct{} // holds one token
}

func newOutsize(r *Relay) *outsize {
	return &outsize{relay: r, ended: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// push takes a flight over. It will land like any other.
func (o *outsize) push(f *flight) {
	o.mu.Lock()
	o.queue = append(o.queue, f)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outsize) take() []*flight {
	o.mu.Lock()
	defer o.mu.Unlock()
	queue := o.queue
	o.queue = nil
	return queue
}

// run publishes until the relay stops; then what is left lands as failed.
func (o *outsize) run() {
	defer close(o.ended)
	var client *kgo.Client
	defer func() {
		if client != nil {
			client.Close()
		}
	}()
	for o.relay.ctx.Err() == nil {
		select {
		case <-o.wake:
		case <-o.relay.ctx.Done():
		}
		for _, f := range o.take() {
			if client == nil {
				client = o.connect()
			}
			f.source.landed(f, o.publish(client, f))
		}
	}
}

func (o *outsize) connect() *kgo.Client {
	wait := backoff{pace: o.relay.pace}
	for {
		client, err := kgo.NewClient(append(producerOpts(o.relay.kafka), kgo.ProducerBatchMaxBytes(outsizeBatch), kgo.BrokerMaxWriteBytes(outsizeRequest))...)
		if err == nil {
			return client
		}
		// The same options made the relay's client, so this passes or the relay stops.
		if !pause(o.relay.ctx, wait.next()) {
			return nil
		}
	}
}

// publish tries until the record is acknowledged, in smaller and smaller forms while it is too large, or until the relay stops.
func (o *outsize) publish(client *kgo.Client, f *flight) error {
	wait, state := backoff{pace: o.relay.pace}, f.streams[0].state
	for o.relay.ctx.Err() == nil && client != nil {
		wave := state.produced()
		err := o.produce(client, f.form.in(&f.record, f.own))
		if err == nil {
			state.acknowledged(wave)
			return nil
		}
		state.returned(wave)
		if errors.Is(err, kerr.MessageTooLarge) && f.form < reasonsOnly {
			f.form++
			continue
		}
		o.relay.health.failed(state, f, err)
		o.relay.metrics.retried("kafka", reason(err))
		pause(o.relay.ctx, wait.next())
	}
	return kgo.ErrClientClosed
}

// produce waits for the acknowledgement, or until the relay stops. The record's own context stays open, as ever.
func (o *outsize) produce(client *kgo.Client, r *kgo.Record) error {
	done := make(chan error, 1)
	client.Produce(context.Background(), r, func(_ *kgo.Record, err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-o.relay.ctx.Done():
		return kgo.ErrClientClosed
	}
}
