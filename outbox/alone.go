package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The largest batch and request of the client for single records. Brokers limit by the topic, and
// take requests of 100 MiB.
const (
	aloneBatch   = 64 << 20
	aloneRequest = 100 << 20
)

// alone publishes records of one topic that it refused, or that the client failed with one that it
// refused. It has a client of its own that has one record at a time: a record that is refused there
// is itself at fault. See refusal.go for what becomes of it.
type alone struct {
	relay *Relay
	state *topicState

	refusing time.Time // since when the topic refuses whatever it is given; of the goroutine

	mu     sync.Mutex
	queue  []*solo
	client *kgo.Client // nil until it is needed
	wake   chan struct{}
}

// solo is a record on its own, in one form after the other.
type solo struct {
	delivery *delivery
	record   *kgo.Record
	form     form
	keyed    bool // with a key that was made up, because the topic takes none without
	probe    bool // its topic is shut, and this one asks whether it still is
}

func newAlone(r *Relay, state *topicState) *alone {
	return &alone{relay: r, state: state, wake: make(chan struct{}, 1)}
}

// push takes a delivery's record over. It will be completed like any other.
func (a *alone) push(d *delivery, r *kgo.Record, probe bool) {
	a.mu.Lock()
	a.queue = append(a.queue, &solo{delivery: d, record: r, probe: probe})
	a.mu.Unlock()
	kick(a.wake)
}

func (a *alone) take() []*solo {
	a.mu.Lock()
	defer a.mu.Unlock()
	queue := a.queue
	a.queue = nil
	return queue
}

// run publishes until the relay ends; then what is left is completed as failed.
func (a *alone) run() {
	defer a.renew()
	for a.relay.ctx.Err() == nil {
		select {
		case <-a.wake:
		case <-a.relay.ctx.Done():
		}
		for _, s := range a.take() {
			s.delivery.source.completed(s.delivery, a.publish(s))
		}
	}
}

// renew ends the client and fails its records. The next try makes a new client. The watcher calls
// renew, too.
func (a *alone) renew() {
	a.mu.Lock()
	client := a.client
	a.client = nil
	a.mu.Unlock()
	if client != nil {
		client.Close()
	}
}

func (a *alone) connected() (*kgo.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client == nil {
		client, err := kgo.NewClient(append(producerOpts(a.relay.kafka), kgo.ProducerBatchMaxBytes(aloneBatch), kgo.BrokerMaxWriteBytes(aloneRequest))...)
		if err != nil {
			return nil, err
		}
		a.client = client
	}
	return a.client, nil
}

// publish tries until the record is acknowledged, in another form where it is refused for good, or
// until its topic is known not to take it. The error says that the source has to try again, or that
// it was closed.
func (a *alone) publish(s *solo) error {
	wait := backoff{pace: a.relay.pace}
	for a.relay.ctx.Err() == nil && s.delivery.source.ctx.Err() == nil {
		if !s.probe && a.state.admits(a.relay.pace.probe) == shut {
			a.relay.health.skip(a.state, s.delivery, a.state.shutBy())
			return nil
		}
		s.probe = false
		err := a.produce(s)
		switch {
		case err == nil:
			a.refusing = time.Time{}
			a.relay.health.open(a.state)
			return nil
		case !isRefusal(err): // the client ended
		case !a.state.optional:
			a.relay.health.failed(a.state, s.delivery, err)
			return err
		case isAboutRecord(err):
			if !s.next(err) {
				a.relay.health.skip(a.state, s.delivery, err)
				return nil
			}
			continue
		default:
			a.relay.health.failed(a.state, s.delivery, err)
			a.relay.metrics.retried("kafka", reason(err))
			a.renew() // it may keep the error for ever
			if a.state.closed.Load() != nil || a.gaveUp(time.Now()) {
				a.relay.health.close(a.state, err)
				continue
			}
		}
		pause(a.relay.ctx, wait.next())
	}
	return kgo.ErrClientClosed
}

// gaveUp reports whether a topic refuses everything for so long that no more is waited for. While
// events are not published either, it is an outage.
func (a *alone) gaveUp(now time.Time) bool {
	if a.refusing.IsZero() {
		a.refusing = now
	}
	return now.Sub(a.refusing) >= a.relay.pace.giveUp && a.relay.health.err(now) == nil
}

// produce waits for the acknowledgement, or until the relay stops. The record's own context stays
// open.
func (a *alone) produce(s *solo) error {
	client, err := a.connected()
	if err != nil {
		return fmt.Errorf("make Kafka client: %w", err) // the same options made the relay's client, so this passes
	}
	wave := a.state.produced()
	done := make(chan error, 1)
	record := s.formed()
	span := a.relay.beginSend(s.delivery.cause, record)
	client.Produce(context.Background(), record, func(_ *kgo.Record, err error) { done <- err })
	select {
	case err = <-done:
	case <-a.relay.ctx.Done():
		err = kgo.ErrClientClosed
	}
	endSend(span, record, err)
	if err != nil {
		a.state.returned(wave)
		return err
	}
	a.state.acknowledged(wave)
	return nil
}

// formed is the record as it is tried now.
func (s *solo) formed() *kgo.Record {
	r := s.form.in(s.record, s.delivery.own)
	if s.keyed && r.Key == nil {
		makeUpKey(r, s.delivery.command())
	}
	return r
}

// next goes on to another form, and reports whether there is one. Events have none: their bytes are
// what was promised.
func (s *solo) next(err error) bool {
	switch {
	case !s.delivery.deadLetter():
		return false
	case !s.keyed && !errors.Is(err, kerr.MessageTooLarge) && s.form.in(s.record, s.delivery.own).Key == nil:
		s.keyed = true
	case s.form < reasonsOnly:
		s.form++
	default:
		return false
	}
	return true
}
