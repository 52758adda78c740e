package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"allocation/store/products"

	"github.com/twmb/franz-go/pkg/kgo"
)

// event is an event as a consumer sees it: in JSON it is a CloudEvent in structured mode.
type event struct {
	SpecVersion   string          `json:"specversion"`
	ID            string          `json:"id"`
	Source        string          `json:"source"`
	Type          string          `json:"type"`
	Time          string          `json:"time,omitempty"`
	Subject       string          `json:"subject,omitempty"`
	PartitionKey  string          `json:"partitionkey,omitempty"`
	Sequence      string          `json:"sequence,omitempty"`
	CorrelationID string          `json:"correlationid,omitempty"`
	CausationID   string          `json:"causationid,omitempty"`
	TraceParent   string          `json:"traceparent,omitempty"`
	TraceState    string          `json:"tracestate,omitempty"`
	ContentType   string          `json:"datacontenttype,omitempty"`
	Data          json.RawMessage `json:"data"`

	At time.Time `json:"-"` // of the record
}

func readEvent(r *kgo.Record) event {
	e := event{Data: r.Value, At: r.Timestamp}
	fields := map[string]*string{
		"ce_specversion": &e.SpecVersion, "ce_id": &e.ID, "ce_source": &e.Source, "ce_type": &e.Type, "ce_time": &e.Time,
		"ce_subject": &e.Subject, "ce_partitionkey": &e.PartitionKey, "ce_sequence": &e.Sequence, "ce_correlationid": &e.CorrelationID,
		"ce_causationid": &e.CausationID, "traceparent": &e.TraceParent, "tracestate": &e.TraceState, "content-type": &e.ContentType,
	}
	for _, h := range r.Headers {
		if field := fields[h.Key]; field != nil {
			*field = string(h.Value)
		}
	}
	if !json.Valid(e.Data) {
		e.Data, _ = json.Marshal(string(r.Value)) // not an event of the service: shown as text
	}
	return e
}

// kind is the type without what all have in common.
func (e *event) kind() string { return strings.TrimPrefix(e.Type, products.Service.TypePrefix) }

// number is the sequence as people write it, empty where the event has none.
func (e *event) number() string {
	n, err := strconv.ParseInt(e.Sequence, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// words says what happened.
func (e *event) words() string { return describe(e.kind(), e.Data) }

// fields are the fields of the data.
func (e *event) fields() eventData { return readData(e.Data) }
