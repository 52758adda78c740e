package checker

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// command is a command as the specification reads it.
type command struct {
	at      place
	record  *Record
	id      string // ce_id
	corr    string // ce_correlationid
	traces  []Header
	kind    string
	refusal string // malformed or unknown_type, where its envelope or data cannot be read

	ref, sku, orderid, lineid string
	qty, revision             int64 // revision -1: none
	eta                       string
}

const typePrefix = "allocation.v1."

// decode reads the envelope and the data.
func decode(r *Record, mapped string) *command {
	c := &command{at: placeOf(r), record: r, id: attribute(r.header("ce_id")), corr: attribute(r.header("ce_correlationid")), revision: -1}
	c.traces = traceHeaders(r.header("traceparent"), r.header("tracestate"))
	contentType := strings.ToLower(string(r.header("content-type")))
	kind := attribute(r.header("ce_type"))
	switch {
	case strings.HasPrefix(contentType, "application/cloudevents"):
		c.structured(contentType)
	case kind != "":
		if v := attribute(r.header("ce_specversion")); v != "" && v != "1.0" {
			c.refusal = "malformed"
			return c
		}
		c.named(kind, r.Value)
	case mapped != "":
		c.kind = mapped
		c.read(r.Value)
	default:
		c.refusal = "malformed"
	}
	return c
}

func (c *command) named(kind string, data []byte) {
	name, ok := strings.CutPrefix(kind, typePrefix)
	if !ok {
		c.refusal = "unknown_type"
		return
	}
	c.kind = name
	c.read(data)
}

// attribute is an attribute that counts, or nothing.
func attribute(value []byte) string {
	if len(value) > 255 || !utf8.Valid(value) || strings.ContainsFunc(string(value), unicode.IsControl) {
		return ""
	}
	return string(value)
}

var parentPattern = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// traceHeaders are the trace headers that events take over: a state only beside a parent.
func traceHeaders(parent, state []byte) (headers []Header) {
	if !parentPattern.Match(parent) {
		return nil
	}
	headers = append(headers, Header{"traceparent", parent})
	if len(state) > 0 {
		headers = append(headers, Header{"tracestate", state})
	}
	return headers
}

// causation is what the command's events have as such.
func (c *command) causation() string {
	if c.id != "" {
		return c.id
	}
	return c.at.String()
}

// correlation is what the command's events have as such.
func (c *command) correlation() string {
	if c.corr != "" {
		return c.corr
	}
	return c.causation()
}
