// Package event reads the events of products as a consumer sees them, and says in words what
// happened.
package event

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"allocation/domain/product"
	"allocation/store/products"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Event is an event as a consumer sees it: in JSON it is a CloudEvent in structured mode.
type Event struct {
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

// Read reads a record as an event.
func Read(r *kgo.Record) Event {
	e := Event{Data: r.Value, At: r.Timestamp}
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

// ShortType is the type without what all have in common.
func (e *Event) ShortType() string { return strings.TrimPrefix(e.Type, products.Service.TypePrefix) }

// Number is the sequence as people write it, empty where the event has none.
func (e *Event) Number() string {
	n, err := strconv.ParseInt(e.Sequence, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// Words says what happened.
func (e *Event) Words() string { return Describe(e.ShortType(), e.Data) }

// Fields are the fields of the data. What cannot be read stays empty.
func (e *Event) Fields() product.EventData {
	d, _ := product.ReadEventData(e.Data)
	return d
}
