package cloudevents

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"strings"

	"allocation/domain/strictjson"
	"allocation/outbox"
)

const cloudEvents = "application/cloudevents"

// isCloudEvents reports whether a content type asks for structured mode, in a format that is
// understood or not.
func isCloudEvents(contentType string) bool {
	return len(contentType) >= len(cloudEvents) && strings.EqualFold(contentType[:len(cloudEvents)], cloudEvents)
}

// structured reads a message whose attributes and data are one JSON object, as the CloudEvents JSON
// format has it.
func (m *Message) structured(contentType string, types *Types, cause *outbox.Cause) {
	if media, _, _ := strings.Cut(contentType, ";"); !strings.EqualFold(strings.TrimSpace(media), cloudEvents+"+json") {
		m.refuse(Malformed, "content-type %q is not understood: of CloudEvents in structured mode only %s+json is", shorten(contentType), cloudEvents)
		return
	}
	if _, _, err := mime.ParseMediaType(contentType); err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		m.refuse(Malformed, "content-type %q is not understood: %v", shorten(contentType), err)
		return
	}
	var e structuredEvent
	if err := strictjson.Parse(m.Data, e.member); err != nil {
		m.refuse(Malformed, "the CloudEvent: %v", err)
		return
	}
	m.adopt(&e, types, cause)
}

// structuredEvent holds the members of a CloudEvent that count. A null member is an absent one.
type structuredEvent struct {
	specVersion, kind, id, correlation, sequence, once, traceParent, traceState string
	data                                                                        []byte
	hasData, hasBase64                                                          bool
}

func (e *structuredEvent) member(name []byte, v strictjson.Value) error {
	if v.Kind() == strictjson.Null {
		return nil
	}
	switch string(name) {
	case "specversion":
		return text(name, v, &e.specVersion)
	case "type":
		return text(name, v, &e.kind)
	case "id":
		if err := text(name, v, &e.id); err != nil {
			return err
		}
		e.id = textAttribute([]byte(e.id))
	case "correlationid":
		optional(v, &e.correlation)
		e.correlation = textAttribute([]byte(e.correlation))
	case "sequence":
		optional(v, &e.sequence)
	case "once":
		if e.once = string(v.Raw()); v.Kind() == strictjson.String {
			e.once = v.Text()
		}
	case "traceparent":
		optional(v, &e.traceParent)
	case "tracestate":
		optional(v, &e.traceState)
	case "data":
		e.hasData = true
		if v.Kind() != strictjson.Object {
			return errors.New("data is not allowed: it must be a JSON object")
		}
		e.data = v.Raw()
	case "data_base64":
		e.hasBase64 = true
		return e.base64(v)
	}
	return nil
}

func (e *structuredEvent) base64(v strictjson.Value) error {
	if v.Kind() != strictjson.String {
		return errors.New("data_base64 is not allowed: it must be a string")
	}
	data, err := base64.StdEncoding.DecodeString(v.Text())
	if err != nil {
		return fmt.Errorf("data_base64 is not base64: %w", err)
	}
	e.data = data
	return nil
}

func text(name []byte, v strictjson.Value, into *string) error {
	if v.Kind() != strictjson.String {
		return fmt.Errorf("%s %s is not allowed: it must be a string", name, shorten(string(v.Raw())))
	}
	*into = v.Text()
	return nil
}

// optional takes an extension attribute if it is text: of another kind it counts as absent.
func optional(v strictjson.Value, into *string) {
	if v.Kind() == strictjson.String {
		*into = v.Text()
	}
}

func (m *Message) adopt(e *structuredEvent, types *Types, cause *outbox.Cause) {
	cause.CommandID, cause.CorrelationID = e.id, e.correlation
	keepTrace(cause, e.traceParent, e.traceState)
	m.Sequence, m.SequenceText = sequence(e.sequence), shorten(e.sequence)
	m.mark = e.once
	switch {
	case e.specVersion != "1.0":
		m.refuse(Malformed, "specversion %q is not allowed: it must be 1.0", shorten(e.specVersion))
	case e.kind == "":
		m.refuse(Malformed, "type is missing: it names the command, and begins with %s", types.Prefix)
	case textAttribute([]byte(e.kind)) == "":
		m.refuse(Malformed, "type %q is not allowed: it must be text of at most %d bytes without control characters", shorten(e.kind), maxAttribute)
	case types.ignores(e.kind):
		m.Ignored = true
	case e.hasData && e.hasBase64:
		m.refuse(Malformed, "data and data_base64 are both present: only one is allowed")
	case !e.hasData && !e.hasBase64:
		m.refuse(Malformed, "data is missing: it must be a JSON object")
	default:
		m.Data = e.data
		m.setType("type", e.kind, types)
	}
}

// shorten keeps messages readable, whatever was sent.
func shorten(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
