package checker

import (
	"encoding/json"
	"slices"

	"github.com/twmb/franz-go/pkg/kbin"
)

// Packed is a record in few bytes: a history of millions must fit into memory. Equal records are
// equal strings, and so are their bodies: all but where they stand and when they were written. It
// is no contract: nothing keeps packed records.
type Packed string

// usual are names and values that nearly every record has, so that they cost one byte.
var usual = []string{"content-type", "ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time", "ce_subject", "ce_partitionkey",
	"ce_sequence", "ce_correlationid", "ce_causationid", "traceparent", "tracestate", "dlq-reason", "dlq-message", "dlq-original-topic",
	"dlq-original-partition", "dlq-original-offset", "dlq-original-timestamp", "dlq-consumer-group", "application/json", "1.0", "/allocation",
	"allocation.v1.BatchCreated", "allocation.v1.BatchQuantityChanged", "allocation.v1.BatchEtaChanged", "allocation.v1.Allocated",
	"allocation.v1.Deallocated", "allocation.v1.OutOfStock", "allocation.v1.Dispatched", "allocation.v1.AllocationRejected",
	"allocation.v1.CreateBatch", "allocation.v1.ChangeBatchQuantity", "allocation.v1.ChangeBatchEta", "allocation.v1.Allocate",
	"allocation.v1.Deallocate", "allocation.v1.Dispatch"}

const unusual = 0xff // begins a word that is none of them

func abbreviate(word []byte) []byte {
	if i := slices.Index(usual, string(word)); i >= 0 {
		return []byte{byte(i)}
	}
	return append([]byte{unusual}, word...)
}

func expand(word []byte) []byte {
	if word[0] == unusual {
		return word[1:]
	}
	return []byte(usual[word[0]])
}

func pack(r *Record) Packed {
	b := kbin.AppendVarintString(nil, r.Topic)
	b = kbin.AppendVarint(b, r.Partition)
	b = kbin.AppendVarlong(b, r.Offset)
	b = kbin.AppendVarlong(b, r.Time)
	b = kbin.AppendVarintBytes(b, r.Key)
	b = kbin.AppendVarintBytes(b, r.Value)
	for _, h := range r.Headers {
		value := h.Value
		if value != nil { // nothing is told from empty
			value = abbreviate(value)
		}
		b = kbin.AppendVarintBytes(kbin.AppendVarintBytes(b, abbreviate([]byte(h.Key))), value)
	}
	return Packed(b)
}

// Record is the record.
func (p Packed) Record() Record {
	in := kbin.Reader{Src: []byte(p)}
	r := Record{Topic: in.VarintString(), Partition: in.Varint(), Offset: in.Varlong(), Time: in.Varlong(), Key: in.VarintBytes(), Value: in.VarintBytes()}
	for len(in.Src) > 0 {
		h := Header{Key: string(expand(in.VarintBytes())), Value: in.VarintBytes()}
		if h.Value != nil {
			h.Value = expand(h.Value)
		}
		r.Headers = append(r.Headers, h)
	}
	return r
}

// place is where it stands.
func (p Packed) place() place {
	in := kbin.Reader{Src: []byte(p)}
	return place{in.VarintString(), in.Varint(), in.Varlong()}
}

// body is all but where it stands and when it was written.
func (p Packed) body() string {
	in := kbin.Reader{Src: []byte(p)}
	_, _, _, _ = in.VarintString(), in.Varint(), in.Varlong(), in.Varlong()
	return string(in.Src)
}

// MarshalJSON writes the record.
func (p Packed) MarshalJSON() ([]byte, error) { return json.Marshal(p.Record()) }

// UnmarshalJSON reads the record.
func (p *Packed) UnmarshalJSON(data []byte) error {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	*p = pack(&r)
	return nil
}
