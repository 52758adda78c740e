// Package cloudevents reads what a Kafka record says as a CloudEvent: in binary mode, where headers
// hold the attributes and the value is the data, and in structured mode, where one JSON object
// holds both. See https://github.com/cloudevents/spec, "Kafka Protocol Binding" and "JSON Event
// Format". A record without any of them is read too, where its topic says of which type it is.
package cloudevents

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// Why a message cannot be read: the reasons of its dead letter.
const (
	Malformed   = "malformed"
	UnknownType = "unknown_type"
)

// Types says which types the messages of a topic may have.
type Types struct {
	// Prefix stands before the name of a type.
	Prefix string

	// Type is the name of the type of messages that name none themselves; empty where they must.
	Type string

	// Takes are the names that are taken of what another service publishes. A message of any other
	// type is ignored. Nil refuses each type without the prefix.
	Takes []string

	// Later are the types of later versions that are known, in full: allocation.v2.CreateBatch
	// beside the prefix allocation.v1.
	Later []string
}

// ignores reports whether messages of a type are ignored.
func (t *Types) ignores(kind string) bool {
	name, known := strings.CutPrefix(kind, t.Prefix)
	return t.Takes != nil && (!known || !slices.Contains(t.Takes, name))
}

// Message is what a record says.
type Message struct {
	Type    string // without the prefix, or of a later version the version and the name: v2.CreateBatch; empty if Ignored or refused
	Data    []byte // JSON, which nobody has looked at yet
	Ignored bool   // its type is none that is taken
	Taken   bool   // it is an event of another service, of a type that is taken
	Newer   string // its type in full, if it is refused only because its version is later than is known here

	// Sequence is where it stands among the events of its key, as ce_sequence says it; 0 where that
	// is missing or no whole number above 0.
	Sequence int64

	// SequenceText is ce_sequence as it came, for a person; empty where it is missing or no text.
	SequenceText string

	mark string // what it has as ce_once

	// Once says that it takes effect once, however often it comes with its id: ce_once is true.
	Once bool

	// Why it is refused, as a reason and a sentence for a person; empty where it could be read.
	Reason, Problem string
}

// Read reads a record, and puts its time, ids and trace into cause: also those of a record that is
// refused.
func Read(r *kgo.Record, types *Types, cause *outbox.Cause) Message {
	*cause = outbox.Cause{Time: Time(r)}
	h := readHeaders(r)
	m := Message{Data: r.Value, mark: h.once}
	keepTrace(cause, h.traceParent, h.traceState)
	switch {
	case isCloudEvents(h.contentType):
		m.structured(h.contentType, types, cause)
	case h.kind != "":
		m.binary(h, types, cause)
	case types.Type != "":
		m.Type = types.Type
		cause.CommandID, cause.CorrelationID = h.id, h.correlation
	default:
		m.refuse(Malformed, "the command has no type: the header ce_type, a structured CloudEvent, or a topic that is mapped to a type can give one")
	}
	if !m.Taken && !m.Ignored { // another service's events are told apart by their sequence
		m.setOnce(cause.CommandID)
	}
	return m
}

func (m *Message) refuse(reason, format string, args ...any) {
	m.Reason, m.Problem = reason, fmt.Sprintf(format, args...)
}

// setOnce sets whether it is done once. A mark that is misspelt is refused: without it, it would be
// done each time.
func (m *Message) setOnce(id string) {
	switch {
	case m.mark == "" || m.mark == "false":
	case m.mark != "true" && m.Reason == "":
		m.refuse(Malformed, "ce_once %q is not allowed: it must be true or false", shorten(m.mark))
	case id == "" && m.Reason == "":
		m.refuse(Malformed, "the command is to be done once (ce_once), and has no id: it must have one of 1 to %d bytes without control characters", maxAttribute)
	}
	m.Once = m.mark == "true" && id != ""
}

// setType sets the type, or ignores the message, or refuses it.
func (m *Message) setType(field, kind string, types *Types) {
	name, known := strings.CutPrefix(kind, types.Prefix)
	switch {
	case types.ignores(kind):
		m.Ignored = true
	case known && name == "":
		m.refuse(UnknownType, "%s %q is not known: it has no name behind %s", field, kind, types.Prefix)
	case known && strings.Contains(name, "."):
		m.refuse(UnknownType, "there is no command called %q", shorten(name)) // it may look like a name of a later version
	case known:
		m.Type, m.Taken = name, types.Takes != nil
	case slices.Contains(types.Later, kind):
		m.Type = types.later(kind)
	default:
		m.refuse(UnknownType, "%s %q is not known: it must begin with %s", field, kind, types.Prefix)
		if types.later(kind) != "" {
			m.Newer = kind
		}
	}
}

// sequence is the number that the attribute has; 0 where it has none.
func sequence(attribute string) int64 {
	if attribute == "" { // as in most commands; ParseInt would allocate an error for each
		return 0
	}
	n, err := strconv.ParseInt(attribute, 10, 64)
	if err != nil || n < 0 || attribute[0] == '+' || attribute[0] == '-' {
		return 0
	}
	return n
}

// Time is a record's timestamp in Unix milliseconds, or outbox.NoTime.
func Time(r *kgo.Record) int64 {
	if ms := r.Timestamp.UnixMilli(); ms >= 0 {
		return ms
	}
	return outbox.NoTime
}
