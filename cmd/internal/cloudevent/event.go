// Package cloudevent reads events from Kafka as a consumer sees them.
package cloudevent

import (
	"encoding/json"
	"time"

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
	for _, h := range r.Headers {
		if field := e.field(h.Key); field != nil {
			*field = string(h.Value)
		}
	}
	if !json.Valid(e.Data) {
		e.Data, _ = json.Marshal(string(r.Value)) // not an event of the service: shown as text
	}
	return e
}

// field is where the value of a header goes; nil: nowhere.
func (e *Event) field(header string) *string {
	switch header {
	case "ce_specversion":
		return &e.SpecVersion
	case "ce_id":
		return &e.ID
	case "ce_source":
		return &e.Source
	case "ce_type":
		return &e.Type
	case "ce_time":
		return &e.Time
	case "ce_subject":
		return &e.Subject
	case "ce_partitionkey":
		return &e.PartitionKey
	case "ce_sequence":
		return &e.Sequence
	case "ce_correlationid":
		return &e.CorrelationID
	case "ce_causationid":
		return &e.CausationID
	case "traceparent":
		return &e.TraceParent
	case "tracestate":
		return &e.TraceState
	case "content-type":
		return &e.ContentType
	}
	return nil
}

// ByTime merges the partitions of fetches by their records' times, and keeps each partition's
// order.
func ByTime(fetches kgo.Fetches) []*kgo.Record {
	var partitions [][]*kgo.Record
	total := 0
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if len(f.Records) > 0 {
			partitions = append(partitions, f.Records)
			total += len(f.Records)
		}
	})
	merged := make([]*kgo.Record, 0, total)
	for len(merged) < total {
		first := -1
		for i, records := range partitions {
			if len(records) > 0 && (first < 0 || records[0].Timestamp.Before(partitions[first][0].Timestamp)) {
				first = i
			}
		}
		merged = append(merged, partitions[first][0])
		partitions[first] = partitions[first][1:]
	}
	return merged
}
