package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// flight is a row between produce and the last of its promises. Its source is one incarnation: a
// promise that returns after the source was closed finds that incarnation, never a newer one.
type flight struct {
	source   *source
	number   int64
	cost     tally
	time     int64   // the command record's timestamp, or NoTime
	from     *Source // the partition that the command came by
	offset   int64   // of the command
	produced time.Time

	left   int   // promises to come; guarded by the source's mu
	failed error // of the first that failed; guarded by the source's mu

	streams [2]*stream
	waves   [2]uint32 // in which the streams' topics count the records
	record  kgo.Record
	second  *kgo.Record // the same in the topic of its own; nil where there is none
	headers [maxHeaders]kgo.RecordHeader

	own int // how many headers a dead letter came with

	promise func(*kgo.Record, error) // returned
}

// newFlight takes a flight that landed, or a new one.
func (r *Relay) newFlight() *flight {
	if f, ok := r.flights.Get().(*flight); ok {
		return f
	}
	f := new(flight)
	f.promise = f.returned
	return f
}

// reuse gives back a flight that was acknowledged. The client has done with its record when it
// calls the promise.
func (r *Relay) reuse(f *flight) {
	*f = flight{promise: f.promise}
	r.flights.Put(f)
}

// launch produces a row, to one topic or two, unless its source has failed. It reports whether it
// did.
func (s *source) launch(row *Row) bool {
	f := s.relay.newFlight()
	f.source, f.number, f.cost = s, row.Number, tally{1, row.size()}
	f.from, f.offset = row.from(&s.Source), row.Offset
	f.time, f.produced, f.left = row.cause().Time, s.now, 1
	if d := row.DeadLetter; d != nil {
		f.own = len(d.Headers)
		f.record = s.render.deadLetter(row)
	} else {
		f.record = s.render.event(row, f.headers[:0])
		if topic, ok := s.relay.envelope.Routes[row.Type]; ok {
			second := f.record
			second.Topic = topic
			f.second, f.left = &second, 2
		}
	}
	return s.produce(f)
}

// produce hands a flight's records to the client. The source is asked for failures after entering
// the eras of all its topics, see stream.
func (s *source) produce(f *flight) bool {
	first := s.producer.streams[f.record.Topic]
	era := first.enter()
	defer first.leave()
	f.streams[0] = first
	if f.second == nil {
		return s.takeOff(f) && s.give(f, 0, &f.record, era)
	}
	second := s.producer.streams[f.second.Topic]
	secondEra := second.enter()
	defer second.leave()
	f.streams[1] = second
	return s.takeOff(f) && s.give(f, 0, &f.record, era) && s.give(f, 1, f.second, secondEra)
}

// give hands a record over, unless its topic is shut: then the row counts as published without it.
// It reports true.
func (s *source) give(f *flight, i int, r *kgo.Record, era context.Context) bool {
	stream, relay := f.streams[i], s.relay
	switch stream.state.admits(relay.pace.probe) {
	case admitted:
		stream.produce(era, r, &f.waves[i], f.promise)
	case probing:
		relay.alone[r.Topic].push(f, r, true)
	case shut:
		relay.health.skip(stream.state, f, stream.state.shutBy())
		s.landed(f, nil)
	}
	return true
}

// returned is the promise of each of a flight's records. The client calls promises one after
// another, so it is short.
func (f *flight) returned(r *kgo.Record, err error) {
	i := 0
	if r == f.second {
		i = 1
	}
	s, stream, wave := f.source, f.streams[i], f.waves[i]
	if err == nil {
		stream.state.acknowledged(wave)
		s.landed(f, nil)
		if f.second == nil && stream.ordered {
			s.relay.reuse(f)
		}
		return
	}
	stream.state.returned(wave)
	if isRefusal(err) && (stream.state.optional || errors.Is(err, kerr.MessageTooLarge)) {
		if stream.ordered {
			s.fail(err)
			stream.end()
		}
		s.relay.alone[r.Topic].push(f, r, false)
		return
	}
	s.relay.health.failed(stream.state, f, err)
	s.landed(f, err)
	stream.end()
}

// deadLetter reports whether the row is one.
func (f *flight) deadLetter() bool { return !f.streams[0].ordered }

// command names the command that caused the row, as `dlq show` takes it.
func (f *flight) command() string {
	return fmt.Sprintf("%s.%d.%d", f.from.Topic, f.from.Partition, f.offset)
}
