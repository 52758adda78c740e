package bench

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/domain"
)

// message is a command on its way to Kafka, and what must follow from it.
type message struct {
	Type   string
	SKU    string
	Data   string // JSON
	Number int    // of the command, from 0; a repeat has that of what it repeats
	Events int    // that must follow; a repeat has none
	Repeat bool
}

// idPrefix stands before a command's number in its ce_id, and so in the ce_causationid of its
// events.
const idPrefix = "bench-"

// Headers that do not change are shared by all records.
var (
	headerJSON        = kgo.RecordHeader{Key: "content-type", Value: []byte("application/json")}
	headerSpecVersion = kgo.RecordHeader{Key: "ce_specversion", Value: []byte("1.0")}
	headerSource      = kgo.RecordHeader{Key: "ce_source", Value: []byte("/allocation/bench")}
)

// record is the command as a CloudEvent in binary mode, keyed by its SKU.
func (c message) record(topic string) *kgo.Record {
	return &kgo.Record{
		Topic: topic, Key: []byte(c.SKU), Value: []byte(c.Data),
		Headers: []kgo.RecordHeader{
			headerJSON, headerSpecVersion, headerSource,
			{Key: "ce_type", Value: []byte("allocation.v1." + c.Type)},
			{Key: "ce_id", Value: strconv.AppendInt([]byte(idPrefix), int64(c.Number), 10)},
		},
	}
}

// numberOf is the number of the command that an event names as its cause.
func numberOf(causation string) (number int, ours bool) {
	digits, ours := strings.CutPrefix(causation, idPrefix)
	number, err := strconv.Atoi(digits)
	return number, ours && err == nil
}

// The names of the commands.
var (
	createBatch    = domain.CreateBatch{}.Name()
	changeQuantity = domain.ChangeBatchQuantity{}.Name()
	changeEta      = domain.ChangeBatchEta{}.Name()
	allocate       = domain.Allocate{}.Name()
	deallocate     = domain.Deallocate{}.Name()
	dispatch       = domain.Dispatch{}.Name()
)
