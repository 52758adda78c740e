package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/domain"
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

	at time.Time // of the record
}

func readEvent(r *kgo.Record) event {
	e := event{Data: r.Value, at: r.Timestamp}
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

// eventData has the fields of all events' data.
type eventData struct {
	Ref      string `json:"ref"`
	BatchRef string `json:"batchref"`
	SKU      string `json:"sku"`
	OrderID  string `json:"orderid"`
	LineID   string `json:"lineid"`
	Qty      int64  `json:"qty"`
	ETA      string `json:"eta"`
	Reason   string `json:"reason"`
	Revision *int64 `json:"revision"`
}

func (e *event) data() eventData {
	var d eventData
	_ = json.Unmarshal(e.Data, &d) // what cannot be read stays empty
	return d
}

// kind is the type without what all have in common.
func (e *event) kind() string { return strings.TrimPrefix(e.Type, typePrefix) }

// number is the sequence as people write it, empty where the event has none.
func (e *event) number() string {
	n, err := strconv.ParseInt(e.Sequence, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// words says what happened.
func (e *event) words() string { return describe(domain.EventType(e.kind()), e.data(), string(e.Data)) }

func describe(kind domain.EventType, d eventData, raw string) string {
	switch kind {
	case domain.BatchCreated:
		return fmt.Sprintf("batch %s of %d, %s", d.Ref, d.Qty, due(d.ETA))
	case domain.BatchQuantityChanged:
		text := fmt.Sprintf("batch %s has %d now", d.BatchRef, d.Qty)
		if d.Revision != nil {
			text += fmt.Sprintf(" (revision %d)", *d.Revision)
		}
		return text
	case domain.BatchEtaChanged:
		return fmt.Sprintf("batch %s is %s", d.BatchRef, due(d.ETA))
	case domain.LineAllocated:
		return fmt.Sprintf("%s gets %d of batch %s", line(d), d.Qty, d.BatchRef)
	case domain.LineDeallocated:
		return deallocated(d)
	case domain.LineOutOfStock:
		return fmt.Sprintf("%s waits for %d", line(d), d.Qty)
	case domain.LineDispatched:
		return fmt.Sprintf("%s left with %d of batch %s", line(d), d.Qty, d.BatchRef)
	case domain.AllocationRejected:
		return fmt.Sprintf("%s over %d rejected: %s", line(d), d.Qty, d.Reason)
	}
	return raw
}

func deallocated(d eventData) string {
	reason := strings.ReplaceAll(d.Reason, "_", " ")
	if d.BatchRef == "" {
		return fmt.Sprintf("%s no longer waits for %d: %s", line(d), d.Qty, reason)
	}
	return fmt.Sprintf("%s gives %d back to batch %s: %s", line(d), d.Qty, d.BatchRef, reason)
}

func line(d eventData) string {
	if d.LineID != "" {
		return fmt.Sprintf("order %s line %s", d.OrderID, d.LineID)
	}
	return "order " + d.OrderID
}

func due(eta string) string {
	if eta == "" {
		return "in the warehouse"
	}
	return "due " + eta
}
