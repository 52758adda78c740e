package send

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/domain/product"
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
	command, refusal := product.DecodeCommand(m.command, m.data)
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
)

// Record is a command with what its type, its id, its SKU and its data are.
func Record(topic, command, id, sku string, data []byte) *kgo.Record {
	m := message{command: command, data: data, id: id, key: sku}
	return m.record(topic)
}

// record is the command as a CloudEvent in binary mode. It shares no memory with the message.
func (m *message) record(topic string) *kgo.Record {
	r := &kgo.Record{Topic: topic, Value: bytes.Clone(m.data), Headers: []kgo.RecordHeader{
		headerJSON, headerSpecVersion, headerSource,
		{Key: "ce_type", Value: []byte(products.Service.TypePrefix + m.command)},
		{Key: "ce_id", Value: []byte(m.id)},
	}}
	if m.correlationID != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_correlationid", Value: []byte(m.correlationID)})
	}
	if m.key != "" {
		r.Key = []byte(m.key)
	}
	return r
}
