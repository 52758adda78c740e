package send

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Message is a command on its way to Kafka.
type Message struct {
	Command       string
	Data          []byte // JSON
	ID            string
	CorrelationID string
	Key           string // that of the data where the user gave none
}

// Line is the message as a line of a file has it.
func (m *Message) Line() string {
	text, _ := json.Marshal(struct { // of texts, and JSON that was read
		Type          string          `json:"type"`
		Data          json.RawMessage `json:"data"`
		ID            string          `json:"id,omitempty"`
		CorrelationID string          `json:"correlationid,omitempty"`
	}{m.Command, m.Data, m.ID, m.CorrelationID})
	return string(text)
}

// check finds out whether the service would refuse to read the command, and fills in its key.
func (l *Language) check(m *Message) error {
	key, err := l.Read(m.Command, m.Data)
	if err != nil {
		return err
	}
	if m.Key == "" {
		m.Key = key
	}
	if err := checkAttribute("id", m.ID); err != nil {
		return err
	}
	return checkAttribute("correlationid", m.CorrelationID)
}

// checkAttribute refuses ce_ values that the service takes for absent.
func checkAttribute(name, value string) error {
	if len(value) > 255 || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return fmt.Errorf("%s is %q; it must be 1 to 255 bytes of UTF-8 without control characters", name, value)
	}
	return nil
}

// Headers that do not change are shared by all records.
var (
	headerJSON        = kgo.RecordHeader{Key: "content-type", Value: []byte("application/json")}
	headerSpecVersion = kgo.RecordHeader{Key: "ce_specversion", Value: []byte("1.0")}
)

// Record is the command as a CloudEvent in binary mode, from a source such as /orders/send. It
// shares no memory with the message.
func (l *Language) Record(m *Message, topic, source string) *kgo.Record {
	r := &kgo.Record{Topic: topic, Value: bytes.Clone(m.Data), Headers: []kgo.RecordHeader{
		headerJSON, headerSpecVersion, {Key: "ce_source", Value: []byte(source)},
		{Key: "ce_type", Value: []byte(l.Service.TypeOf(m.Command))},
		{Key: "ce_id", Value: []byte(m.ID)},
	}}
	if m.CorrelationID != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_correlationid", Value: []byte(m.CorrelationID)})
	}
	if m.Key != "" {
		r.Key = []byte(m.Key)
	}
	return r
}

// sourceOf is the ce_source of what a program sends for people.
func sourceOf(program string) string { return "/" + program + "/send" }
