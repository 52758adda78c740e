package outbox

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// maxHeaders is how many headers an event has at most.
const maxHeaders = 13

var (
	jsonType    = []byte("application/json")
	specVersion = []byte("1.0")
)

// renderer turns the rows of one source into the bytes that are published. The same row gives the
// same bytes, in any process and at any time: nothing of the process, the clock or the attempt goes
// into a record. It is not safe for use by several goroutines.
type renderer struct {
	envelope *Envelope
	source   Source
	place    place            // of the source
	places   map[int32]*place // of other sources whose commands came late
	ceSource []byte
	types    map[string]eventType

	time     int64 // that timeText renders
	timeText []byte
}

func newRenderer(e *Envelope, s Source) *renderer {
	return &renderer{
		envelope: e,
		source:   s,
		place:    newPlace(&s),
		places:   map[int32]*place{},
		ceSource: []byte(e.Source),
		types:    map[string]eventType{},
		time:     NoTime,
	}
}

// place is what a partition gives to the names of its commands and their events.
type place struct {
	id   string // "<topic id>.<partition>."
	name string // "<topic>.<partition>."
}

func newPlace(s *Source) place {
	partition := "." + strconv.Itoa(int(s.Partition)) + "."
	return place{id: base64.RawURLEncoding.EncodeToString(s.TopicID[:]) + partition, name: s.Topic + partition}
}

// placeOf is where a row's command came by.
func (r *renderer) placeOf(row *Row) *place {
	if row.From == nil {
		return &r.place
	}
	p := r.places[row.From.ID]
	if p == nil {
		made := newPlace(row.From)
		p = &made
		r.places[row.From.ID] = p
	}
	return p
}

// event renders an event into a record. Headers are appended to the slice given. The record's own
// timestamp stays unset, so it is the time of publishing: brokers refuse timestamps that are too
// old, and delete by them, and a command may be older than either allows.
func (r *renderer) event(row *Row, headers []kgo.RecordHeader) kgo.Record {
	cause, place := row.cause(), r.placeOf(row)
	b := make(texts, 0, len(row.RecordKey)+len(row.Key)+len(row.Subject)+len(cause.CommandID)+len(cause.CorrelationID)+
		len(cause.TraceParent)+len(cause.TraceState)+len(place.id)+2*len(place.name)+96)
	add := func(key string, value []byte) { headers = append(headers, kgo.RecordHeader{Key: key, Value: value}) }

	t := r.typeOf(row.Type)
	key := b.text(cmp.Or(row.RecordKey, row.Key))
	add("content-type", jsonType)
	add("ce_specversion", specVersion)
	add("ce_type", t.name)
	add("ce_source", r.ceSource)
	add("ce_id", b.number(place.id, row.Offset, int64(row.Event)))
	if text := r.timeOf(cause.Time); text != nil {
		add("ce_time", text)
	}
	add("ce_subject", b.text(row.Subject))
	add("ce_partitionkey", key)
	if row.Sequence > 0 {
		add("ce_sequence", b.padded(row.Sequence))
	}
	causation := causationOf(&b, place, row, cause)
	if cause.CorrelationID != "" {
		add("ce_correlationid", b.text(cause.CorrelationID))
	} else {
		add("ce_correlationid", causation)
	}
	add("ce_causationid", causation)
	if cause.TraceParent != "" {
		add("traceparent", b.text(cause.TraceParent))
	}
	if cause.TraceState != "" {
		add("tracestate", b.text(cause.TraceState))
	}
	return kgo.Record{Topic: t.topic, Key: key, Value: row.Value, Headers: headers}
}

func causationOf(b *texts, place *place, row *Row, cause *Cause) []byte {
	if cause.CommandID != "" {
		return b.text(cause.CommandID)
	}
	return b.number(place.name, row.Offset)
}

// eventType is what a type gives to its records.
type eventType struct {
	name  []byte // ce_type
	topic string
}

func (r *renderer) typeOf(name string) eventType {
	t, ok := r.types[name]
	if !ok {
		to, command := r.envelope.Commands[name]
		if !command {
			to = Destination{Topic: r.envelope.EventsTopic, TypePrefix: r.envelope.TypePrefix}
		}
		t = eventType{name: []byte(to.TypePrefix + name), topic: to.Topic}
		r.types[name] = t
	}
	return t
}

// timeOf renders milliseconds as RFC 3339 has them; nil for none, and for years that it cannot
// write.
func (r *renderer) timeOf(ms int64) []byte {
	if ms == r.time {
		return r.timeText
	}
	r.time, r.timeText = ms, nil
	if t := time.UnixMilli(ms).UTC(); ms >= 0 && t.Year() <= 9999 {
		r.timeText = t.AppendFormat(nil, "2006-01-02T15:04:05.000Z")
	}
	return r.timeText
}

var noCause = &Cause{Time: NoTime}

func (row *Row) cause() *Cause {
	if row.Cause == nil {
		return noCause
	}
	return row.Cause
}

// from is where a row's command came by.
func (row *Row) from(own *Source) *Source {
	if row.From != nil {
		return row.From
	}
	return own
}

// size is about what a row costs in memory until it is acknowledged, in bytes.
func (row *Row) size() int64 {
	n := 1024 + len(row.Key) + len(row.RecordKey) + len(row.Subject) + len(row.Value)
	if d := row.DeadLetter; d != nil {
		n += len(d.Message) + len(d.Key) + len(d.Value)
		for _, h := range d.Headers {
			n += 40 + len(h.Key) + len(h.Value)
		}
	}
	return int64(n)
}
