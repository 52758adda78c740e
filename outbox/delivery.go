package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"allocation/outbox/telemetry"
)

// delivery is a row between produce and the last of its promises. Its source is one incarnation: a
// promise that returns after the source was closed finds that incarnation, never a newer one.
type delivery struct {
	source   *source
	number   int64
	cost     tally
	cause    *Cause
	from     *Source // the partition that the command came by
	offset   int64   // of the command
	produced time.Time

	left   int   // promises to come; guarded by the source's mu
	failed error // of the first that failed; guarded by the source's mu

	streams [2]*stream
	waves   [2]uint32     // in which the streams' topics count the records
	spans   [2]trace.Span // of the streams' records; nil: none
	record  kgo.Record
	second  *kgo.Record // the same in the topic of its own; nil where there is none
	headers [maxHeaders]kgo.RecordHeader

	own int // how many headers a dead letter came with

	promise func(*kgo.Record, error) // returned
}

// newDelivery takes a delivery that was acknowledged, or a new one.
func (r *Relay) newDelivery() *delivery {
	if d, ok := r.deliveries.Get().(*delivery); ok {
		return d
	}
	d := new(delivery)
	d.promise = d.returned
	return d
}

// reuse gives back a delivery that was acknowledged. The client has done with its record when it
// calls the promise.
func (r *Relay) reuse(d *delivery) {
	*d = delivery{promise: d.promise}
	r.deliveries.Put(d)
}

// deliver produces a row, to one topic or two, unless its source has failed. It reports whether it
// did.
func (s *source) deliver(row *Row) bool {
	d := s.relay.newDelivery()
	d.source, d.number, d.cost = s, row.Number, tally{1, row.size()}
	d.from, d.offset = row.from(&s.Source), row.Offset
	d.cause, d.produced, d.left = row.cause(), s.now, 1
	if letter := row.DeadLetter; letter != nil {
		d.own = len(letter.Headers)
		d.record = s.render.deadLetter(row)
	} else {
		d.record = s.render.event(row, d.headers[:0])
		if topic, ok := s.relay.envelope.Routes[row.Type]; ok {
			second := d.record
			second.Topic = topic
			d.second, d.left = &second, 2
		}
	}
	return s.produce(d)
}

// produce hands a delivery's records to the client. The source is asked for failures after entering
// the eras of all its topics, see stream.
func (s *source) produce(d *delivery) bool {
	first := s.producer.streams[d.record.Topic]
	era := first.enter()
	defer first.leave()
	d.streams[0] = first
	if d.second == nil {
		return s.begin(d) && s.give(d, 0, &d.record, era)
	}
	second := s.producer.streams[d.second.Topic]
	secondEra := second.enter()
	defer second.leave()
	d.streams[1] = second
	return s.begin(d) && s.give(d, 0, &d.record, era) && s.give(d, 1, d.second, secondEra)
}

// give hands a record over, unless its topic is shut: then the row counts as published without it.
// It reports true.
func (s *source) give(d *delivery, i int, r *kgo.Record, era context.Context) bool {
	stream, relay := d.streams[i], s.relay
	switch stream.state.admits(relay.pace.probe) {
	case admitted:
		d.spans[i] = relay.beginSend(d.cause, r)
		stream.produce(era, r, &d.waves[i], d.promise)
	case probing:
		relay.alone[r.Topic].push(d, r, true)
	case shut:
		relay.health.skip(stream.state, d, stream.state.shutBy())
		s.completed(d, nil)
	}
	return true
}

// returned is the promise of each of a delivery's records. The client calls promises one after
// another, so it is short.
func (d *delivery) returned(r *kgo.Record, err error) {
	i := 0
	if r == d.second {
		i = 1
	}
	s, stream, wave := d.source, d.streams[i], d.waves[i]
	endSend(d.spans[i], r, err)
	if err == nil {
		stream.state.acknowledged(wave)
		s.completed(d, nil)
		if d.second == nil && stream.ordered {
			s.relay.reuse(d)
		}
		return
	}
	stream.state.returned(wave)
	if isRefusal(err) && (stream.state.optional || errors.Is(err, kerr.MessageTooLarge)) {
		if stream.ordered {
			s.fail(err)
			stream.end()
		}
		s.relay.alone[r.Topic].push(d, r, false)
		return
	}
	s.relay.health.failed(stream.state, d, err)
	s.completed(d, err)
	stream.end()
}

// deadLetter reports whether the row is one.
func (d *delivery) deadLetter() bool { return !d.streams[0].ordered }

// command names the command that caused the row, as `dlq show` takes it.
func (d *delivery) command() string {
	return fmt.Sprintf("%s.%d.%d", d.from.Topic, d.from.Partition, d.offset)
}

// about tells of the command that caused the row, by the key of the record.
func (d *delivery) about() telemetry.Record {
	return telemetry.Record{Topic: d.from.Topic, Partition: d.from.Partition, Offset: d.offset, Key: d.record.Key, Trace: d.cause.Trace()}
}
