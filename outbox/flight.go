package outbox

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// flight is a row between produce and the last of its promises. Its source is one incarnation: a promise that returns after the source was closed
// finds that incarnation, never a newer one.
type flight struct {
	source   *source
	number   int64
	cost     tally
	command  int64 // the command record's timestamp, or NoTime
	produced time.Time

	left   int   // promises to come; guarded by the source's mu
	failed error // of the first that failed; guarded by the source's mu

	streams [2]*stream
	waves   [2]uint32 // in which the streams' topics count the records
	record  kgo.Record
	second  *kgo.Record // the same in the topic of its own; nil where there is none
	headers [maxHeaders]kgo.RecordHeader

	own  int // how many headers a dead letter came with
	form form

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

// reuse gives back a flight that was acknowledged. The client has done with its record when it calls the promise.
func (r *Relay) reuse(f *flight) {
	*f = flight{promise: f.promise}
	r.flights.Put(f)
}

// launch produces a row, to one topic or two, unless its source has failed. It reports whether it did.
func (s *source) launch(row *Row) bool {
	f := s.relay.newFlight()
	f.source, f.number, f.cost = s, row.Number, tally{1, row.size()}
	f.command, f.produced, f.left = row.cause().Time, s.now, 1
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

// produce hands a flight's records to the client. The source is asked for failures after entering the eras of all its topics, see stream.
func (s *source) produce(f *flight) bool {
	first := s.producer.streams[f.record.Topic]
	era := first.enter()
	defer first.leave()
	f.streams[0] = first
	if f.second == nil {
		if s.takeOff(f) {
			first.produce(era, &f.record, &f.waves[0], f.promise)
			return true
		}
		return false
	}
	second := s.producer.streams[f.second.Topic]
	secondEra := second.enter()
	defer second.leave()
	f.streams[1] = second
	if !s.takeOff(f) {
		return false
	}
	first.produce(era, &f.record, &f.waves[0], f.promise)
	second.produce(secondEra, f.second, &f.waves[1], f.promise)
	return true
}

// returned is the promise of each of a flight's records. The client calls promises one after another, so it is short.
func (f *flight) returned(r *kgo.Record, err error) {
	i := 0
	if r == f.second {
		i = 1
	}
	s, stream, wave := f.source, f.streams[i], f.waves[i]
	if err != nil && !stream.ordered && errors.Is(err, kerr.MessageTooLarge) {
		stream.state.returned(wave)
		s.relay.outsize.push(f)
		return
	}
	if err == nil {
		stream.state.acknowledged(wave)
		s.landed(f, nil)
		if f.second == nil && stream.ordered {
			s.relay.reuse(f)
		}
		return
	}
	stream.state.returned(wave)
	s.relay.health.failed(stream.state, f, err)
	s.landed(f, err)
	stream.end()
}
