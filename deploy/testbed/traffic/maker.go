// Package traffic makes random commands, as producers send them and as they should not: the same
// ones from the same random numbers.
package traffic

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Maker makes the commands of one producer.
type Maker struct {
	*rand.Rand

	Name string // begins the ids of its commands
	Made int    // records so far
}

// Record is a command in an envelope of some form, for whatever topic and partition: in a topic of
// quantities, perhaps a bare one.
func (m *Maker) Record(commandType, data string, quantities bool) *kgo.Record {
	m.Made++
	r := &kgo.Record{Value: []byte(data)}
	add := func(key, value string) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	id := fmt.Sprintf("%s-%d", m.Name, m.Made)
	form := m.IntN(10)
	if form == 0 {
		add("content-type", "application/cloudevents+json; charset=UTF-8")
		r.Value = fmt.Appendf(nil, `{"specversion":"1.0","type":"allocation.v1.%s","id":%q,"source":"/test","data":%s}`, commandType, id, data)
		return r
	}
	if form > 1 || commandType != "ChangeBatchQuantity" || !quantities { // else bare, by the topic's type
		add("ce_type", "allocation.v1."+commandType)
	}
	if m.IntN(5) > 0 {
		add("ce_id", id)
	}
	if m.IntN(4) == 0 {
		add("ce_correlationid", fmt.Sprintf("checkout-%d", m.Made/7))
	}
	if m.IntN(8) == 0 {
		add("traceparent", fmt.Sprintf("00-%032x-%016x-01", m.Made, m.Made))
		add("tracestate", "vendor=x")
	}
	return r
}

// Malformed is a record that must be refused.
func (m *Maker) Malformed() *kgo.Record {
	m.Made++
	r := &kgo.Record{Value: []byte(m.oneOf(
		"", "{", "null", "[]", "\x00\xff\xfe", `{"orderid":"o","sku":"S"}`, `{"orderid":"o","sku":"S","qty":0}`, `{"orderid":"o","sku":"S","qty":1.5}`,
		`{"orderid":"o","orderid":"p","sku":"S","qty":1}`, `{"orderid":"o","sku":"S","qty":"1"}`, `{"orderid":"","sku":"S","qty":1}`,
		`{"orderid":"o\u0000","sku":"S","qty":1}`, `{"orderid":"o","sku":"S","qty":1000000001}`, strings.Repeat("x", 5000)))}
	if commandType := m.oneOf("allocation.v1.Allocate", "allocation.v1.Unknown", "else.Allocate", ""); commandType != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_type", Value: []byte(commandType)})
	}
	if m.IntN(2) == 0 {
		r.Key = []byte{0, 0xff}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "x", Value: nil}, kgo.RecordHeader{Key: "x", Value: []byte{0, 1}})
	}
	return r
}

// Again is one of these records once more, byte for byte. What was sent before has been changed by
// the client.
func (m *Maker) Again(sent []*kgo.Record) *kgo.Record {
	old := sent[m.IntN(len(sent))]
	return &kgo.Record{Topic: old.Topic, Partition: old.Partition, Key: old.Key, Value: old.Value, Headers: old.Headers}
}

func (m *Maker) oneOf(texts ...string) string { return texts[m.IntN(len(texts))] }
