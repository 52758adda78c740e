package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// load makes commands of every commandType, as producers send them, and as they should not.
type load struct {
	arena      *arena
	random     *rand.Rand
	partitions int32
	skus       int
	made       int
	total      int           // records sent
	sent       []*kgo.Record // for duplicates
	orders     []order
	batches    []stock
}

type order struct {
	id, sku, line string
	qty           int
}

type stock struct{ ref, sku string }

func (a *arena) load(random *rand.Rand, partitions int32, skus int) *load {
	return &load{arena: a, random: random, partitions: partitions, skus: skus}
}

// send sends n commands, and returns when Kafka has them.
func (l *load) send(n int) {
	l.arena.t.Helper()
	l.total += n
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = l.next()
	}
	require.NoError(l.arena.t, l.arena.client.ProduceSync(l.arena.t.Context(), records...).FirstErr())
}

// sendEverywhere sends a command by every partition of every topic.
func (l *load) sendEverywhere() {
	l.arena.t.Helper()
	var records []*kgo.Record
	for _, topic := range l.arena.commands {
		for p := range l.partitions {
			r := l.command()
			r.Topic, r.Partition = topic, p
			records = append(records, r)
		}
	}
	require.NoError(l.arena.t, l.arena.client.ProduceSync(l.arena.t.Context(), records...).FirstErr())
}

// next is a good command mostly; else one that was sent before, or one that cannot be read.
func (l *load) next() *kgo.Record {
	switch dice := l.random.IntN(100); {
	case dice < 6 && len(l.sent) > 0:
		old := l.sent[l.random.IntN(len(l.sent))]
		return &kgo.Record{Topic: old.Topic, Partition: old.Partition, Key: old.Key, Value: old.Value, Headers: old.Headers}
	case dice < 10:
		return l.broken()
	}
	r := l.command()
	l.sent = append(l.sent, r)
	return r
}

// command makes a command, mostly on the partition of its key.
func (l *load) command() *kgo.Record {
	sku := fmt.Sprintf("SKU-%d", l.random.IntN(l.skus))
	if len(l.batches) < l.skus { // each product begins with some stock
		sku = fmt.Sprintf("SKU-%d", len(l.batches))
	}
	commandType, data := l.content(sku)
	r := &kgo.Record{Topic: l.arena.commands[0], Partition: l.home(sku), Key: []byte(sku), Value: []byte(data)}
	if l.random.IntN(10) < 3 {
		r.Topic, r.Partition = l.arena.commands[l.random.IntN(2)], l.random.Int32N(l.partitions)
	}
	l.made++
	l.wrap(r, commandType, data)
	return r
}

// home is where a SKU's commands belong: its own partition of the first topic.
func (l *load) home(sku string) int32 {
	sum := int32(0)
	for _, b := range []byte(sku) {
		sum += int32(b)
	}
	return sum % l.partitions
}

// wrap puts the data into an envelope of some form.
func (l *load) wrap(r *kgo.Record, commandType, data string) {
	add := func(key, value string) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	id := fmt.Sprintf("cmd-%d", l.made)
	form := l.random.IntN(10)
	if form == 0 {
		add("content-type", "application/cloudevents+json; charset=UTF-8")
		r.Value = fmt.Appendf(nil, `{"specversion":"1.0","type":"allocation.v1.%s","id":%q,"source":"/test","data":%s}`, commandType, id, data)
		return
	}
	if form > 1 || commandType != "ChangeBatchQuantity" || r.Topic != l.arena.commands[1] { // else bare, by the topic's type
		add("ce_type", "allocation.v1."+commandType)
	}
	if l.random.IntN(5) > 0 {
		add("ce_id", id)
	}
	if l.random.IntN(4) == 0 {
		add("ce_correlationid", fmt.Sprintf("checkout-%d", l.made/7))
	}
	if l.random.IntN(4) == 0 {
		add("traceparent", fmt.Sprintf("00-%032x-%016x-01", l.made+1, l.made+1))
		add("tracestate", "vendor=x")
	}
}

// content makes the data of a command about a product.
func (l *load) content(sku string) (commandType, data string) {
	switch dice := l.random.IntN(100); {
	case dice < 12 || len(l.batches) < l.skus:
		return "CreateBatch", l.createBatch(sku)
	case dice < 27:
		return "ChangeBatchQuantity", l.changeQuantity()
	case dice < 35:
		b := l.batches[l.random.IntN(len(l.batches))]
		return "ChangeBatchEta", fmt.Sprintf(`{"batchref":%q%s}`, b.ref, l.eta())
	case dice < 75 || len(l.orders) == 0:
		return "Allocate", l.allocate(sku)
	case dice < 87:
		return "Deallocate", l.orders[l.random.IntN(len(l.orders))].identity() + "}"
	}
	return "Dispatch", l.orders[l.random.IntN(len(l.orders))].identity() + "}"
}

func (l *load) createBatch(sku string) string {
	b := stock{fmt.Sprintf("batch-%d", len(l.batches)), sku}
	if l.random.IntN(12) == 0 && len(l.batches) > l.skus {
		b.ref = l.batches[l.random.IntN(len(l.batches))].ref // a conflict, most likely
	}
	l.batches = append(l.batches, b)
	return fmt.Sprintf(`{"ref":%q,"sku":%q,"qty":%d%s}`, b.ref, b.sku, l.random.IntN(80), l.eta())
}

func (l *load) changeQuantity() string {
	b := l.batches[l.random.IntN(len(l.batches))]
	more := ""
	if l.random.IntN(3) == 0 {
		more = fmt.Sprintf(`,"revision":%d`, l.random.IntN(20))
	}
	if l.random.IntN(3) == 0 {
		more += fmt.Sprintf(`,"sku":%q`, b.sku)
	}
	return fmt.Sprintf(`{"batchref":%q,"qty":%d%s}`, b.ref, l.random.IntN(60), more)
}

func (l *load) allocate(sku string) string {
	o := order{id: fmt.Sprintf("order-%d", len(l.orders)), sku: sku, qty: 1 + l.random.IntN(12)}
	if l.random.IntN(8) == 0 {
		o.line = "2"
	}
	if l.random.IntN(10) == 0 && len(l.orders) > 0 {
		o = l.orders[l.random.IntN(len(l.orders))]
		o.qty += l.random.IntN(2)
	}
	l.orders = append(l.orders, o)
	return o.identity() + fmt.Sprintf(`,"qty":%d}`, o.qty)
}

// identity names the line, as the beginning of an object.
func (o order) identity() string {
	text := fmt.Sprintf(`{"orderid":%q,"sku":%q`, o.id, o.sku)
	if o.line != "" {
		text += fmt.Sprintf(`,"lineid":%q`, o.line)
	}
	return text
}

func (l *load) eta() string {
	switch l.random.IntN(4) {
	case 0:
		return fmt.Sprintf(`,"eta":"2030-01-%02d"`, 1+l.random.IntN(28))
	case 1:
		return `,"eta":null`
	}
	return ""
}

// broken is a record that must be refused.
func (l *load) broken() *kgo.Record {
	values := []string{
		"", "{", "null", "[]", "\x00\xff\xfe", `{"orderid":"o","sku":"S"}`, `{"orderid":"o","sku":"S","qty":0}`, `{"orderid":"o","sku":"S","qty":1.5}`,
		`{"orderid":"o","orderid":"p","sku":"S","qty":1}`, `{"orderid":"o","sku":"S","qty":"1"}`, `{"orderid":"","sku":"S","qty":1}`,
		`{"orderid":"o\u0000","sku":"S","qty":1}`, `{"orderid":"o","sku":"S","qty":1000000001}`, strings.Repeat("x", 100_000),
	}
	r := &kgo.Record{Topic: l.arena.commands[0], Partition: l.random.Int32N(l.partitions), Value: []byte(values[l.random.IntN(len(values))])}
	kinds := []string{"allocation.v1.Allocate", "allocation.v1.Unknown", "else.Allocate", ""}
	if commandType := kinds[l.random.IntN(len(kinds))]; commandType != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_type", Value: []byte(commandType)})
	}
	if l.random.IntN(2) == 0 {
		r.Key = []byte{0, 0xff}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "x", Value: nil}, kgo.RecordHeader{Key: "x", Value: []byte{0, 1}})
	}
	return r
}
