package story

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// topics of a tale are called as they are by default. So are their ids.
var topics = Topics{
	"orders.commands", "orders.events", "orders.commands.dlq",
	"warehouse.commands", "allocation.events", "warehouse.commands.dlq",
	"warehouse.tasks", "warehouse.events", "warehouse.tasks.dlq",
}

// tale is a history that is made up: what was written to the topics, and the tables at the end.
type tale struct {
	t         *testing.T
	records   []*kgo.Record
	tables    Tables
	offsets   map[string]int64
	sequences map[string]int64
	put       map[string]int64 // the sequence of the last Allocated of a line, by order and line
	now       time.Time        // of what is written
}

// cartTime is that of a tale.
const cartTime = 30 * time.Minute

// write writes a record to the only partition of a topic, and gives the id that its events begin
// with.
func (s *tale) write(topic, prefix, kind, key, value string, headers ...string) string {
	r := &kgo.Record{Topic: topic, Offset: s.offsets[topic], Key: []byte(key), Value: []byte(value), Timestamp: s.now}
	headers = append(headers, "ce_type", prefix+kind)
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
	}
	s.records = append(s.records, r)
	s.offsets[topic]++
	return fmt.Sprintf("%s.%d.%d", strings.ReplaceAll(topic, ".", "-"), r.Partition, r.Offset)
}

// customer is a command of a customer, and gives its id.
func (s *tale) customer(kind, order, more string) string {
	who := customerOf(order)
	id := fmt.Sprint("c", s.offsets[topics.OrderCommands])
	return s.write(topics.OrderCommands, "orders.v1.", kind, who, fmt.Sprintf(`{"customerid":%q,"cartid":%q%s}`, who, order, more), "ce_id", id)
}

// event is an event of a command: the n-th of it.
func (s *tale) event(topic, prefix, kind, key, of string, n int, value string) {
	sequence := topic + key
	s.sequences[sequence]++
	s.write(topic, prefix, kind, key, value, "ce_id", fmt.Sprint(of, ".", n), "ce_sequence", fmt.Sprintf("%019d", s.sequences[sequence]))
}

// order is an event of orders.
func (s *tale) order(of string, n int, kind, order, more string) {
	who := customerOf(order)
	s.event(topics.OrderEvents, "orders.v1.", kind, who, of, n, fmt.Sprintf(`{"customerid":%q,"orderid":%q%s}`, who, order, more))
}

// stock is an event of stock.
func (s *tale) stock(of string, kind, value string) {
	s.event(topics.StockEvents, "allocation.v1.", kind, "CHAIR", of, 0, `{"sku":"CHAIR",`+value+`}`)
}

// task is a command of the warehouse.
func (s *tale) task(kind, more string) {
	id := fmt.Sprint("t", s.offsets[topics.Tasks])
	s.write(topics.Tasks, "warehouse.v1.", kind, "CHAIR", `{"sku":"CHAIR",`+more+`}`, "ce_id", id)
}

// pick has the warehouse pick a line.
func (s *tale) pick(order, line string, qty int, batch string) {
	of := fmt.Sprintf(`"orderid":%q,"lineid":%q,"batchref":%q`, order, line, batch)
	s.task("PickLine", of)
	s.house("LinePicked", fmt.Sprintf(`%s,"qty":%d`, of, qty))
}

// house is an event of the warehouse, which has the id of one of the last task.
func (s *tale) house(kind, value string) {
	s.event(topics.WarehouseEvents, "warehouse.v1.", kind, "CHAIR", fmt.Sprint("warehouse-tasks.0.", s.offsets[topics.Tasks]-1), int(s.offsets[topics.WarehouseEvents]), `{"sku":"CHAIR",`+value+`}`)
}

// ask is a command for stock about a line.
func (s *tale) ask(kind, order, line, more string) string {
	id := fmt.Sprint("a", s.offsets[topics.StockCommands])
	return s.write(topics.StockCommands, "allocation.v1.", kind, "CHAIR", fmt.Sprintf(`{"orderid":%q,"lineid":%q,"sku":"CHAIR"%s}`, order, line, more), "ce_correlationid", order, "ce_id", id)
}

// letter is a dead letter of the last command of a topic.
func (s *tale) letter(dlq, prefix, kind, of, reason string) {
	offset := s.offsets[of] - 1
	s.write(dlq, prefix, kind, "", "{}", "dlq-reason", reason, "dlq-original-topic", of, "dlq-original-partition", "0", "dlq-original-offset", fmt.Sprint(offset))
	s.tables.Letters = append(s.tables.Letters, LetterRow{of, 0, offset, reason})
}

// add has a customer put chairs into a cart.
func (s *tale) add(order, line string, qty int) (allocate string) {
	of := s.customer("AddToCart", order, fmt.Sprintf(`,"sku":"CHAIR","qty":%d`, qty))
	s.order(of, 0, "CartLineAdded", order, fmt.Sprintf(`,"lineid":%q,"sku":"CHAIR","qty":%d`, line, qty))
	return s.ask("Allocate", order, line, fmt.Sprintf(`,"qty":%d`, qty))
}

func (s *tale) take(of, kind, order, line string, qty int, batch, reason string) {
	more := ""
	if batch != "" {
		more += fmt.Sprintf(`,"batchref":%q`, batch)
	}
	if reason != "" {
		more += fmt.Sprintf(`,"reason":%q`, reason)
	}
	s.stock(of, kind, fmt.Sprintf(`"orderid":%q,"lineid":%q,"qty":%d%s`, order, line, qty, more))
	if kind == "Allocated" {
		s.put[order+" "+line] = s.sequences[topics.StockEvents+"CHAIR"]
	}
}

// expire is a command that has a cart expire.
func (s *tale) expire(cart string) (of string) {
	who := customerOf(cart)
	return s.write(topics.OrderCommands, "orders.v1.", "ExpireCart", who, fmt.Sprintf(`{"customerid":%q,"cartid":%q}`, who, cart))
}

// place has a customer place a cart.
func (s *tale) place(order string) (of string) {
	of = s.customer("PlaceOrder", order, "")
	s.order(of, 0, "OrderPlaced", order, "")
	return of
}

// goodTale is one without a fault. Of CHAIR.1 there were 10, of which 1 is lost; CHAIR.2 has not
// arrived.
func goodTale(t *testing.T) *tale {
	s := &tale{t: t, offsets: map[string]int64{}, sequences: map[string]int64{}, put: map[string]int64{}, now: time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i, more := range []string{`,"qty":10`, `,"qty":5,"eta":"2030-01-01"`} {
		ref := fmt.Sprint("CHAIR.", i+1)
		s.task("AnnounceShipment", fmt.Sprintf(`"shipment":%d%s`, i+1, more))
		s.house("ShipmentAnnounced", fmt.Sprintf(`"batchref":%q%s`, ref, more))
		s.stock(s.write(topics.StockCommands, "allocation.v1.", "CreateBatch", "CHAIR", `{}`), "BatchCreated", fmt.Sprintf(`"ref":%q%s`, ref, more))
	}

	// The first is dispatched.
	s.take(s.add("alice.1", "1", 2), "Allocated", "alice.1", "1", 2, "CHAIR.1", "")
	of := s.place("alice.1")
	s.order(of, 1, "OrderReady", "alice.1", `,"lines":[{"sku":"CHAIR","lineid":"1","qty":2,"batchref":"CHAIR.1","fact":3}]`)
	s.pick("alice.1", "1", 2, "CHAIR.1")
	s.take(s.ask("Dispatch", "alice.1", "1", ""), "Dispatched", "alice.1", "1", 2, "CHAIR.1", "")
	s.house("LineShipped", `"orderid":"alice.1","lineid":"1","batchref":"CHAIR.1","qty":2`)
	s.order("allocation-events.0.9", 0, "OrderDispatched", "alice.1", "")
	s.customer("CancelOrder", "alice.1", "")
	s.letter(topics.OrderLetters, "orders.v1.", "CancelOrder", topics.OrderCommands, "on_its_way")

	// The second is cancelled; a line was removed before.
	s.take(s.add("alice.2", "1", 3), "Allocated", "alice.2", "1", 3, "CHAIR.1", "")
	s.take(s.add("alice.2", "2", 1), "Allocated", "alice.2", "2", 1, "CHAIR.1", "")
	of = s.customer("RemoveFromCart", "alice.2", `,"lineid":"2","sku":"CHAIR"`)
	s.order(of, 0, "CartLineRemoved", "alice.2", `,"lineid":"2","sku":"CHAIR","qty":1,"reason":"customer"`)
	s.take(s.ask("Deallocate", "alice.2", "2", ""), "Deallocated", "alice.2", "2", 1, "CHAIR.1", "cancelled")
	s.place("alice.2")
	of = s.customer("CancelOrder", "alice.2", "")
	s.order(of, 0, "OrderCancelled", "alice.2", `,"reason":"customer"`)
	s.take(s.ask("Deallocate", "alice.2", "1", ""), "Deallocated", "alice.2", "1", 3, "CHAIR.1", "cancelled")

	// The third waits, and makes a VIP; the fourth is on what has not arrived. They are placed again.
	s.take(s.add("alice.3", "1", 20), "OutOfStock", "alice.3", "1", 20, "", "")
	s.order(s.place("alice.3"), 1, "CustomerBecameVIP", "alice.3", "")
	s.take(s.add("alice.4", "1", 5), "Allocated", "alice.4", "1", 5, "CHAIR.2", "")
	s.place("alice.4")
	s.customer("PlaceOrder", "alice.4", "")

	// A cart expires, one was rejected.
	s.take(s.add("bob.1", "1", 1), "Allocated", "bob.1", "1", 1, "CHAIR.1", "")
	s.now = s.now.Add(cartTime)
	of = s.expire("bob.1")
	s.order(of, 0, "CartLineRemoved", "bob.1", `,"lineid":"1","sku":"CHAIR","qty":1,"reason":"expired"`)
	s.order(of, 1, "CartExpired", "bob.1", "")
	s.take(s.ask("Deallocate", "bob.1", "1", ""), "Deallocated", "bob.1", "1", 1, "CHAIR.1", "cancelled")
	s.reject("bob.2")

	// Something is lost.
	s.task("ReportDamage", `"shipment":1,"report":"r1","qty":1`)
	s.house("GoodsLost", `"batchref":"CHAIR.1","qty":1,"reason":"damaged"`)
	s.stock(s.write(topics.StockCommands, "allocation.v1.", "ChangeBatchQuantity", "CHAIR", `{}`), "BatchQuantityChanged", `"batchref":"CHAIR.1","qty":7,"revision":0`)
	s.keep()
	return s
}

// reject has a customer want what there is not.
func (s *tale) reject(order string) {
	of := s.customer("AddToCart", order, `,"sku":"UNICORN","qty":1`)
	s.order(of, 0, "CartLineAdded", order, `,"lineid":"1","sku":"UNICORN","qty":1`)
	line := fmt.Sprintf(`{"orderid":%q,"lineid":"1","sku":"UNICORN","qty":1`, order)
	asked := s.write(topics.StockCommands, "allocation.v1.", "Allocate", "UNICORN", line+"}", "ce_correlationid", order)
	s.letter(topics.StockLetters, "allocation.v1.", "Allocate", topics.StockCommands, "unknown_sku")
	fact := s.write(topics.StockEvents, "allocation.v1.", "AllocationRejected", "UNICORN", line+`,"reason":"unknown_sku"}`, "ce_id", asked+".0")
	s.order(fact, 0, "CartLineRejected", order, `,"lineid":"1","sku":"UNICORN","qty":1,"reason":"unknown_sku"`)
}

// keep writes the tables as they are at the end.
func (s *tale) keep() {
	s.tables.Customers = []CustomerRow{{"alice", s.sequences[topics.OrderEvents+"alice"], 4}, {"bob", s.sequences[topics.OrderEvents+"bob"], 0}}
	s.tables.Orders = []OrderRow{
		{"alice.1", dispatched, true}, {"alice.2", cancelled, true}, {"alice.3", "placed", true}, {"alice.4", "placed", true}, {"bob.1", expired, false}, {"bob.2", "cart", false},
	}
	s.tables.OrderLines = []OrderLineRow{
		{"alice.1", "1", "CHAIR", 2, dispatched, "CHAIR.1"}, {"alice.2", "1", "CHAIR", 3, removed, ""}, {"alice.2", "2", "CHAIR", 1, removed, ""},
		{"alice.3", "1", "CHAIR", 20, waiting, ""}, {"alice.4", "1", "CHAIR", 5, "reserved", "CHAIR.2"}, {"bob.1", "1", "CHAIR", 1, removed, ""}, {"bob.2", "1", "UNICORN", 1, rejected, ""},
	}
	s.tables.Known = []KnownRow{{"CHAIR.1", "CHAIR", true}, {"CHAIR.2", "CHAIR", false}}
	s.tables.Products = []ProductRow{{"CHAIR", s.sequences[topics.StockEvents+"CHAIR"]}}
	s.tables.Batches = []BatchRow{{"CHAIR.1", "CHAIR", 7, 0, true}, {"CHAIR.2", "CHAIR", 5, 5, false}}
	s.tables.StockLines = []StockLineRow{
		{"alice.1", "CHAIR", "1", 2, dispatched, "CHAIR.1"}, {"alice.2", "CHAIR", "1", 3, cancelled, ""}, {"alice.2", "CHAIR", "2", 1, cancelled, ""},
		{"alice.3", "CHAIR", "1", 20, waiting, ""}, {"alice.4", "CHAIR", "1", 5, allocated, "CHAIR.2"}, {"bob.1", "CHAIR", "1", 1, cancelled, ""},
	}
	s.tables.Ledger = []LedgerRow{{"CHAIR", "CHAIR.1", 10, 1, 2, 0, true}, {"CHAIR", "CHAIR.2", 5, 0, 0, 0, false}}
	s.tables.Positions = nil
	for _, of := range [][]string{
		{orderSchema, topics.OrderCommands, topics.StockEvents}, {stockSchema, topics.StockCommands}, {warehouseSchema, topics.Tasks, topics.StockEvents, topics.OrderEvents},
	} {
		for _, topic := range of[1:] {
			s.tables.Positions = append(s.tables.Positions, PositionRow{of[0], topic, 0, s.offsets[topic], 9, 9})
		}
	}
}

// check gives what is found in the tale.
func (s *tale) check() []Violation {
	ids := map[string]string{}
	for _, topic := range topics.all() {
		ids[topic] = strings.ReplaceAll(topic, ".", "-")
	}
	c := New(topics, ids, cartTime)
	for _, r := range s.records {
		c.Take(r)
	}
	return c.Check(&s.tables)
}

// find gives the index of the only record of a type whose value has a text.
func (s *tale) find(kind, text string) int {
	found := -1
	for i, r := range s.records {
		if of := header(r, "ce_type"); strings.HasSuffix(of, "."+kind) && strings.Contains(string(r.Value), text) && !strings.HasSuffix(r.Topic, "dlq") {
			require.Less(s.t, found, 0, "two of %s %s", kind, text)
			found = i
		}
	}
	require.GreaterOrEqual(s.t, found, 0, "no %s %s", kind, text)
	return found
}

// lose takes a record away, and has those behind it move up, as if it had never been written.
func (s *tale) lose(kind, text string) {
	i := s.find(kind, text)
	gone := s.records[i]
	s.records = slices.Delete(s.records, i, i+1)
	if sequence := header(gone, "ce_sequence"); sequence != "" {
		for _, r := range s.records {
			if r.Topic == gone.Topic && string(r.Key) == string(gone.Key) && header(r, "ce_sequence") > sequence {
				var n int64
				_, err := fmt.Sscan(strings.TrimLeft(header(r, "ce_sequence"), "0"), &n)
				require.NoError(s.t, err)
				set(r, "ce_sequence", fmt.Sprintf("%019d", n-1))
			}
		}
	}
}

// edit has the value of a record say something else.
func (s *tale) edit(kind, text, old, new string) {
	r := s.records[s.find(kind, text)]
	require.Contains(s.t, string(r.Value), old)
	r.Value = []byte(strings.Replace(string(r.Value), old, new, 1))
}

func set(r *kgo.Record, key, value string) {
	for i := range r.Headers {
		if r.Headers[i].Key == key {
			r.Headers[i].Value = []byte(value)
		}
	}
}
