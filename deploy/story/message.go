package story

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// message is a record that was read.
type message struct {
	record      *kgo.Record
	kind        string // its type without prefix and version
	id          string
	correlation string
	sequence    int64 // 0: it has none
	data
	unreadable error
}

// data has the fields that any message has.
type data struct {
	CustomerID, OrderID, CartID, LineID, SKU, BatchRef, Ref, ETA, Reason, Report string
	Qty, Shipment                                                                int64
	Lines                                                                        []pickLine
}

// pickLine is a line of OrderReady.
type pickLine struct {
	SKU, LineID, BatchRef string
	Qty, Fact             int64
}

// place is where a record is.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func (p place) String() string { return fmt.Sprintf("%s %d@%d", p.topic, p.partition, p.offset) }

func readMessage(r *kgo.Record) *message {
	m := &message{record: r, id: header(r, "ce_id"), correlation: header(r, "ce_correlationid")}
	kind := header(r, "ce_type")
	m.kind = kind[strings.LastIndexByte(kind, '.')+1:]
	if sequence := header(r, "ce_sequence"); sequence != "" {
		m.sequence, m.unreadable = strconv.ParseInt(sequence, 10, 64)
	}
	if err := json.Unmarshal(r.Value, &m.data); err != nil {
		m.unreadable = err
	}
	if m.OrderID == "" {
		m.OrderID = m.CartID
	}
	return m
}

func (m *message) place() place { return place{m.record.Topic, m.record.Partition, m.record.Offset} }

func (m *message) String() string { return fmt.Sprintf("%s at %s", m.kind, m.place()) }

// command is the id of the command that an event is of: the event's without its own number.
func (m *message) command() string { return m.id[:max(0, strings.LastIndexByte(m.id, '.'))] }

// header is the last value of a header; empty where there is none.
func header(r *kgo.Record, key string) (value string) {
	for _, h := range r.Headers {
		if h.Key == key {
			value = string(h.Value)
		}
	}
	return value
}

var seed = maphash.MakeSeed()

// sum tells one content from another.
func (m *message) sum() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, text := range []string{m.kind, m.id, m.correlation, string(m.record.Key), string(m.record.Value)} {
		h.WriteString(text)
		h.WriteByte(0)
	}
	return h.Sum64()
}

// original is the place of the command that a dead letter is of.
func original(r *kgo.Record) (place, error) {
	partition, err := strconv.ParseInt(header(r, "dlq-original-partition"), 10, 32)
	if err != nil {
		return place{}, err
	}
	offset, err := strconv.ParseInt(header(r, "dlq-original-offset"), 10, 64)
	return place{header(r, "dlq-original-topic"), int32(partition), offset}, err
}

// customerOf is whose an order is; empty where it is no customer's.
func customerOf(order string) string {
	customer, rest, _ := strings.Cut(order, ".")
	if rest == "" {
		return ""
	}
	return customer
}
