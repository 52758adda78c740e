package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// shop makes the commands of one producer, about products of its own: some dozens at a time, of
// which one or another goes and a new one comes.
type shop struct {
	load     *load
	random   *rand.Rand
	name     string
	mix      mix
	products []*product
	opened   int // products so far
	made     int // commands so far

	busy atomic.Pointer[string] // the SKU of a late command
}

// shelf is how many products a shop has at a time.
const shelf = 60

func newShop(l *load, n int, random *rand.Rand) *shop {
	return &shop{load: l, random: random, name: fmt.Sprintf("p%d", n), mix: l.campaign.mix}
}

// records are the next n to send.
func (s *shop) records(n int) []*kgo.Record {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = s.next()
	}
	return records
}

// next is a good command mostly; else one that was sent before, or one that cannot be read.
func (s *shop) next() *kgo.Record {
	s.made++
	p := s.product()
	switch dice := s.random.IntN(100); {
	case dice < s.mix[partRepeat] && len(p.sent) > 0:
		return s.again(p)
	case dice >= 100-s.mix[partMalformed]:
		return s.malformed()
	}
	r := s.command(p)
	p.remember(r)
	return r
}

// again is a command of the product once more, byte for byte.
func (s *shop) again(p *product) *kgo.Record {
	old := p.sent[s.random.IntN(len(p.sent))]
	return &kgo.Record{Topic: old.Topic, Partition: old.Partition, Key: old.Key, Value: old.Value, Headers: old.Headers}
}

// product is one of the shelf; one whose time is over makes room for a new one.
func (s *shop) product() *product {
	for len(s.products) < shelf {
		s.products = append(s.products, s.open())
	}
	i := s.random.IntN(shelf)
	p := s.products[i]
	if p.left--; p.left < 0 {
		p = s.open()
		s.products[i] = p
	}
	s.busy.Store(&p.sku)
	return p
}

func (s *shop) open() *product {
	s.opened++
	p := &product{shop: s, sku: fmt.Sprintf("%s-SKU-%d", s.name, s.opened), partition: s.random.Int32N(s.load.partitions.Load())}
	p.spread = s.random.IntN(100) < s.mix[partSpread]
	p.left = 10 + int(80*s.random.ExpFloat64())
	if s.random.IntN(100) == 0 {
		p.left *= 10
	}
	return p
}

// command makes a command, on the partition of its product unless that is spread.
func (s *shop) command(p *product) *kgo.Record {
	commandType, data := p.content()
	r := &kgo.Record{Topic: commandTopic, Partition: p.partition, Key: []byte(p.sku), Value: []byte(data)}
	if p.spread && s.random.IntN(10) < 4 {
		r.Partition = s.random.Int32N(s.load.partitions.Load())
		if s.random.IntN(4) == 0 {
			r.Topic, r.Partition = quantityTopic, s.random.Int32N(quantityPartitions)
		}
	}
	switch s.random.IntN(40) {
	case 0:
		r.Key = nil
	case 1:
		r.Key = []byte("another")
	}
	s.wrap(r, commandType, data)
	return r
}

// wrap puts the data into an envelope of some form.
func (s *shop) wrap(r *kgo.Record, commandType, data string) {
	add := func(key, value string) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	id := fmt.Sprintf("%s-%d", s.name, s.made)
	form := s.random.IntN(10)
	if form == 0 {
		add("content-type", "application/cloudevents+json; charset=UTF-8")
		r.Value = fmt.Appendf(nil, `{"specversion":"1.0","type":"allocation.v1.%s","id":%q,"source":"/chaos","data":%s}`, commandType, id, data)
		return
	}
	if form > 1 || commandType != "ChangeBatchQuantity" || r.Topic != quantityTopic { // else bare, by the topic's type
		add("ce_type", "allocation.v1."+commandType)
	}
	if s.random.IntN(5) > 0 {
		add("ce_id", id)
	}
	if s.random.IntN(4) == 0 {
		add("ce_correlationid", fmt.Sprintf("checkout-%d", s.made/7))
	}
	if s.random.IntN(10) == 0 {
		add("traceparent", fmt.Sprintf("00-%032x-%016x-01", s.made, s.made))
	}
}

// malformed is a record that must be refused.
func (s *shop) malformed() *kgo.Record {
	values := []string{
		"", "{", "null", "[]", "\x00\xff\xfe", `{"orderid":"o","sku":"S"}`, `{"orderid":"o","sku":"S","qty":0}`, `{"orderid":"o","sku":"S","qty":1.5}`,
		`{"orderid":"o","orderid":"p","sku":"S","qty":1}`, `{"orderid":"o","sku":"S","qty":"1"}`, `{"orderid":"","sku":"S","qty":1}`,
		`{"orderid":"o\u0000","sku":"S","qty":1}`, `{"orderid":"o","sku":"S","qty":1000000001}`, string(slices.Repeat([]byte("x"), 5000)),
	}
	r := &kgo.Record{Topic: commandTopic, Partition: s.random.Int32N(commandPartitions), Value: []byte(values[s.random.IntN(len(values))])}
	kinds := []string{"allocation.v1.Allocate", "allocation.v1.Unknown", "else.Allocate", ""}
	if commandType := kinds[s.random.IntN(len(kinds))]; commandType != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_type", Value: []byte(commandType)})
	}
	if s.random.IntN(2) == 0 {
		r.Key = []byte{0, 0xff}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "x", Value: nil}, kgo.RecordHeader{Key: "x", Value: []byte{0, 1}})
	}
	return r
}
