package cloudevents

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// maxAttribute is the most bytes of an attribute that counts.
const maxAttribute = 255

// binary reads a message whose attributes are headers.
func (m *Message) binary(h headers, types *Types, cause *outbox.Cause) {
	cause.CommandID, cause.CorrelationID = h.id, h.correlation
	m.Sequence, m.SequenceText = sequence(h.sequence), shorten(h.sequence)
	if h.specVersion != "" && h.specVersion != "1.0" {
		m.refuse(Malformed, "ce_specversion %q is not allowed: it must be 1.0", h.specVersion)
		return
	}
	m.setType("ce_type", h.kind, types)
}

// headers are the headers that count; of a repeated one the last.
type headers struct {
	contentType, specVersion, kind, id, correlation, sequence, once, traceParent, traceState string
}

func readHeaders(r *kgo.Record) (h headers) {
	for i := range r.Headers {
		value := r.Headers[i].Value
		switch r.Headers[i].Key {
		case "content-type":
			h.contentType = string(value)
		case "ce_specversion":
			h.specVersion = textAttribute(value)
		case "ce_type":
			h.kind = textAttribute(value)
		case "ce_id":
			h.id = textAttribute(value)
		case "ce_correlationid":
			h.correlation = textAttribute(value)
		case "ce_sequence":
			h.sequence = textAttribute(value)
		case "ce_once":
			h.once = string(value)
		case "traceparent":
			h.traceParent = string(value)
		case "tracestate":
			h.traceState = string(value)
		}
	}
	return h
}

// textAttribute is a value that counts, or nothing: what is not text, has control characters or is
// too long counts as absent.
func textAttribute(value []byte) string {
	if len(value) > maxAttribute || !utf8.Valid(value) {
		return ""
	}
	s := string(value)
	if strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}
