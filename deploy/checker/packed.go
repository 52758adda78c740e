package checker

import (
	"encoding/binary"
	"encoding/json"
	"strings"
)

// Packed is a record in few bytes: a history of millions must fit into memory. Equal records are
// equal strings, and so are their bodies: all but where they stand and when they were written.
type Packed string

// Names and values that nearly every record has, so that they cost one byte. It is no contract:
// nothing keeps packed records.
var (
	defaultNames = dictionary{"content-type", "ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time", "ce_subject", "ce_partitionkey",
		"ce_sequence", "ce_correlationid", "ce_causationid", "traceparent", "tracestate", "dlq-reason", "dlq-message", "dlq-original-topic",
		"dlq-original-partition", "dlq-original-offset", "dlq-original-timestamp", "dlq-consumer-group"}
	defaultValues = dictionary{"application/json", "1.0", "allocation.v1.BatchCreated", "allocation.v1.BatchQuantityChanged",
		"allocation.v1.BatchEtaChanged", "allocation.v1.Allocated", "allocation.v1.Deallocated", "allocation.v1.OutOfStock", "allocation.v1.Dispatched",
		"allocation.v1.AllocationRejected", "allocation.v1.CreateBatch", "allocation.v1.ChangeBatchQuantity", "allocation.v1.ChangeBatchEta",
		"allocation.v1.Allocate", "allocation.v1.Deallocate", "allocation.v1.Dispatch", "/allocation"}
)

type dictionary []string

func (d dictionary) find(text string) int {
	for i, word := range d {
		if word == text {
			return i
		}
	}
	return -1
}

// packer packs records into large pieces of memory.
type packer struct {
	piece   *strings.Builder
	scratch []byte
}

const pieceSize = 1 << 20

func (p *packer) pack(r *Record) Packed {
	p.scratch = appendRecord(p.scratch[:0], r)
	if p.piece == nil || p.piece.Len()+len(p.scratch) > p.piece.Cap() {
		p.piece = &strings.Builder{}
		p.piece.Grow(max(pieceSize, len(p.scratch)))
	}
	start := p.piece.Len()
	p.piece.Write(p.scratch)
	return Packed(p.piece.String()[start:])
}

func appendRecord(b []byte, r *Record) []byte {
	b = appendText(b, r.Topic)
	b = binary.AppendUvarint(b, uint64(r.Partition))
	b = binary.AppendUvarint(b, uint64(r.Offset))
	b = binary.AppendVarint(b, r.Time)
	b = appendBytes(b, r.Key)
	b = appendBytes(b, r.Value)
	b = binary.AppendUvarint(b, uint64(len(r.Headers)))
	for _, h := range r.Headers {
		b = appendWord(b, h.Key, defaultNames, 0)
		if h.Value == nil {
			b = append(b, 0)
		} else {
			b = appendWord(b, string(h.Value), defaultValues, 1)
		}
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// appendBytes tells nothing from empty.
func appendBytes(b, value []byte) []byte {
	if value == nil {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(value)+1)), value...)
}

// appendWord writes the number of a usual word, or the length of another and itself. Numbers below
// reserved mean something else.
func appendWord(b []byte, text string, usual dictionary, reserved int) []byte {
	if i := usual.find(text); i >= 0 {
		return append(b, byte(reserved+i))
	}
	return append(binary.AppendUvarint(b, uint64(reserved+len(usual)+len(text))), text...)
}

// Record is the record.
func (p Packed) Record() Record {
	c := cursor(p)
	r := Record{Topic: c.text(), Partition: int32(c.number()), Offset: int64(c.number()), Time: c.signed(), Key: c.bytes(), Value: c.bytes()}
	if n := int(c.number()); n > 0 {
		r.Headers = make([]Header, n)
	}
	for i := range r.Headers {
		r.Headers[i].Key = c.word(defaultNames, int(c.number()))
		if code := int(c.number()); code > 0 {
			r.Headers[i].Value = []byte(c.word(defaultValues, code-1))
		}
	}
	return r
}

// At is where it stands.
func (p Packed) At() (topic string, partition int32, offset int64) {
	at := p.place()
	return at.topic, at.partition, at.offset
}

// place is where it stands.
func (p Packed) place() place {
	c := cursor(p)
	return place{c.text(), int32(c.number()), int64(c.number())}
}

// body is all but where it stands and when it was written.
func (p Packed) body() string {
	c := cursor(p)
	c.text()
	c.number()
	c.number()
	c.signed()
	return string(c)
}

// MarshalJSON writes the record.
func (p Packed) MarshalJSON() ([]byte, error) { return json.Marshal(p.Record()) }

// UnmarshalJSON reads the record.
func (p *Packed) UnmarshalJSON(data []byte) error {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	*p = Packed(appendRecord(nil, &r))
	return nil
}

// cursor is the rest of a packed record.
type cursor string

func (c *cursor) number() (n uint64) {
	for i := 0; ; i++ {
		b := (*c)[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			*c = (*c)[i+1:]
			return n
		}
	}
}

func (c *cursor) signed() int64 {
	n := c.number()
	return int64(n>>1) ^ -int64(n&1)
}

func (c *cursor) take(n int) string {
	text := string((*c)[:n])
	*c = (*c)[n:]
	return text
}

func (c *cursor) text() string { return c.take(int(c.number())) }

func (c *cursor) bytes() []byte {
	n := int(c.number())
	if n == 0 {
		return nil
	}
	return []byte(c.take(n - 1))
}

func (c *cursor) word(usual dictionary, code int) string {
	if code < len(usual) {
		return usual[code]
	}
	return c.take(code - len(usual))
}
