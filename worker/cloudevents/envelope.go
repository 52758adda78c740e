package worker

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// Reasons of refusals that the envelope gives, and of commands that failed.
const (
	reasonMalformed   = "malformed"
	reasonUnknownType = "unknown_type"
	reasonTooLarge    = "too_large"
	reasonUnreadable  = "unreadable"
	reasonInternal    = "internal"
)

// Reasons are those of the dead letters that come from here, whatever the commands are.
func Reasons() []string { return slices.Clone(typelessReasons) }

// typelessReasons are those of refusals whose command may have any type, or none.
var typelessReasons = []string{reasonMalformed, reasonUnknownType, reasonTooLarge, reasonUnreadable, reasonInternal}

// maxAttribute is the most bytes of an attribute that counts.
const maxAttribute = 255

// decode reads the envelope of a topic's record.
func decode(r *kgo.Record, from *Topic, cause *outbox.Cause) Command {
	c := Command{Offset: r.Offset, Key: r.Key, Value: r.Value, Data: r.Value, Headers: r.Headers, Cause: cause}
	*cause = outbox.Cause{Time: timestamp(r)}
	h := readHeaders(r)
	keepTrace(cause, h.traceParent, h.traceState)
	switch {
	case isCloudEvents(h.contentType):
		c.structured(h.contentType, from)
	case h.kind != "":
		c.binary(h, from)
	case from.Type != "":
		c.Type = from.Type
		c.Cause.CommandID, c.Cause.CorrelationID = h.id, h.correlation
	default:
		c.refuse(reasonMalformed, "the command has no type: the header ce_type, a structured CloudEvent, or a topic that is mapped to a type can give one")
	}
	return c
}

func (c *Command) refuse(reason, format string, args ...any) {
	c.Refusal = &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func (c *Command) binary(h envelopeHeaders, from *Topic) {
	c.Cause.CommandID, c.Cause.CorrelationID = h.id, h.correlation
	if h.specVersion != "" && h.specVersion != "1.0" {
		c.refuse(reasonMalformed, "ce_specversion %q is not allowed: it must be 1.0", h.specVersion)
		return
	}
	c.setType("ce_type", h.kind, from)
}

// ignores reports whether records of a type are ignored.
func (t *Topic) ignores(kind string) bool {
	name, known := strings.CutPrefix(kind, t.Prefix)
	return t.Takes != nil && (!known || !slices.Contains(t.Takes, name))
}

// setType sets the type, or ignores the command, or refuses it.
func (c *Command) setType(field, kind string, from *Topic) {
	name, known := strings.CutPrefix(kind, from.Prefix)
	switch {
	case from.ignores(kind):
		c.Ignored = true
	case known:
		c.Type = name
	default:
		c.refuse(reasonUnknownType, "%s %q is not known: it must begin with %s", field, kind, from.Prefix)
	}
}

// envelopeHeaders are the headers that count; of a repeated one the last.
type envelopeHeaders struct {
	contentType, specVersion, kind, id, correlation, traceParent, traceState string
}

func readHeaders(r *kgo.Record) (h envelopeHeaders) {
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

func timestamp(r *kgo.Record) int64 {
	if ms := r.Timestamp.UnixMilli(); ms >= 0 {
		return ms
	}
	return outbox.NoTime
}
