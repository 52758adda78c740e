package checker

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// command is a command as the specification reads it.
type command struct {
	at      place
	time    int64
	value   []byte
	id      string // ce_id
	corr    string // ce_correlationid
	kind    string
	refusal string // malformed or unknown_type, where its envelope or data cannot be read

	data                    // ref is that of its batch, in any case
	traceParent, traceState string
}

func newCommand() *command { return &command{data: data{revision: -1}} }

const typePrefix = "allocation.v1."

// decode reads the envelope and the data.
func decode(r *Record, mapped string) *command {
	c := newCommand()
	c.at, c.time, c.value = placeOf(r), r.Time, r.Value
	c.id, c.corr = attribute(r.header("ce_id")), attribute(r.header("ce_correlationid"))
	c.trace(r.header("traceparent"), r.header("tracestate"))
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

var statePattern = regexp.MustCompile(`^[ -~]{1,512}$`)

// trace takes over the trace headers: a state only beside a parent.
func (c *command) trace(parent, state []byte) {
	c.traceParent, c.traceState = "", ""
	if !parentPattern.Match(parent) || bytes.Contains(parent, []byte("-00000000000000000000000000000000-")) || bytes.Contains(parent, []byte("-0000000000000000-")) {
		return
	}
	c.traceParent = string(parent)
	if statePattern.Match(state) {
		c.traceState = string(state)
	}
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
