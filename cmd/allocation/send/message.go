package send

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/domain"
	"allocation/store/products"
)

// message is a command on its way to Kafka.
type message struct {
	command       string
	data          []byte // JSON
	id            string
	correlationID string
	key           string // the SKU of the data where the user gave none
}

// check finds out whether the service would refuse to read the command, and fills in its key.
func (m *message) check() error {
	command, refusal := domain.DecodeCommand(m.command, m.data)
	if refusal != nil {
		return errors.New(refusal.Message)
	}
	if m.key == "" {
		m.key = command.Keys().SKU
	}
	if err := checkAttribute("id", m.id); err != nil {
		return err
	}
	return checkAttribute("correlationid", m.correlationID)
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
	headerSource      = kgo.RecordHeader{Key: "ce_source", Value: []byte("/allocation/send")}
	headerTypes       = typeHeaders()
)

func typeHeaders() map[string]kgo.RecordHeader {
	headers := make(map[string]kgo.RecordHeader, len(domain.Commands))
	for _, name := range domain.CommandNames() {
		headers[name] = kgo.RecordHeader{Key: "ce_type", Value: []byte(products.Service.TypePrefix + name)}
	}
	return headers
}

// outgoing is a record with its headers, in one piece of memory: files have many.
type outgoing struct {
	record  kgo.Record
	headers [6]kgo.RecordHeader
}

// Record is a command with what its type, its id, its SKU and its data are.
func Record(topic, command, id, sku string, data []byte) *kgo.Record {
	m := message{command: command, data: data, id: id, key: sku}
	return m.record(topic)
}

// record is the command as a CloudEvent in binary mode. It shares no memory with the message.
func (m *message) record(topic string) *kgo.Record {
	memory := make([]byte, 0, len(m.data)+len(m.id)+len(m.correlationID)+len(m.key))
	keep := func(text string) []byte {
		from := len(memory)
		memory = append(memory, text...)
		return memory[from:len(memory):len(memory)]
	}
	o := &outgoing{}
	o.headers = [6]kgo.RecordHeader{headerJSON, headerSpecVersion, headerSource, headerTypes[m.command], {Key: "ce_id", Value: keep(m.id)}}
	o.record = kgo.Record{Topic: topic, Headers: o.headers[:5]}
	if m.correlationID != "" {
		o.headers[5] = kgo.RecordHeader{Key: "ce_correlationid", Value: keep(m.correlationID)}
		o.record.Headers = o.headers[:]
	}
	if m.key != "" {
		o.record.Key = keep(m.key)
	}
	o.record.Value = append(memory, m.data...)[len(memory):]
	return &o.record
}
