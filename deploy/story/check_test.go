package story

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each tale has one fault, and the checker finds what it is about.
func TestCheck_findsFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		rule, about string
		spoil       func(*tale)
	}{
		"more is allocated than there is": {RuleOversold, "CHAIR.2", func(s *tale) { s.edit("BatchCreated", "CHAIR.2", `"qty":5`, `"qty":4`) }},
		"more left than was there": {RuleOversold, "CHAIR.1", func(s *tale) {
			s.house("GoodsLost", `"batchref":"CHAIR.1","qty":8,"reason":"damaged"`)
		}},
		"a line left a batch that had not arrived": {RuleArrived, "alice.1 1", func(s *tale) { s.edit("BatchCreated", "CHAIR.1", `"qty"`, `"eta":"2030-01-01","qty"`) }},
		"an order was dispatched whose line had not left": {RuleArrived, "alice.4", func(s *tale) {
			s.order("allocation-events.0.9", 1, "OrderReady", "alice.4", `,"lines":[{"sku":"CHAIR","lineid":"1","qty":5,"batchref":"CHAIR.2","fact":10}]`)
			s.order("allocation-events.0.9", 2, "OrderDispatched", "alice.4", "")
		}},

		"an order is ready without a line": {RuleReady, "alice.5", func(s *tale) {
			s.twoLines("CHAIR.1")
			s.order("allocation-events.0.9", 2, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1"))
		}},
		"an order is ready again without a line": {RuleReady, "alice.5 2", func(s *tale) {
			s.twoLines("CHAIR.1")
			s.order("allocation-events.0.9", 2, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1", "2", "CHAIR.1"))
			s.order("allocation-events.0.9", 3, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1"))
		}},
		"an order is ready without any line": {RuleReady, "alice.1", func(s *tale) {
			s.edit("OrderReady", "alice.1", `{"sku":"CHAIR","lineid":"1","qty":2,"batchref":"CHAIR.1","fact":3}`, "")
		}},
		"an order is ready when all has left": {RuleReady, "alice.5", func(s *tale) {
			s.twoLines("CHAIR.1")
			s.order("allocation-events.0.9", 2, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1", "2", "CHAIR.1"))
			for _, line := range []string{"1", "2"} {
				s.take(s.ask("Dispatch", "alice.5", line, ""), "Dispatched", "alice.5", line, 1, "CHAIR.1", "")
			}
			s.order("allocation-events.0.9", 3, "OrderReady", "alice.5", `,"lines":[]`)
		}},
		"an order is ready with a line twice": {RuleFold, "alice.5", func(s *tale) {
			s.twoLines("CHAIR.1")
			s.order("allocation-events.0.9", 2, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1", "2", "CHAIR.1", "2", "CHAIR.1"))
		}},
		"an order is ready on what never arrived": {RuleReady, "alice.5 2", func(s *tale) {
			s.twoLines("CHAIR.2")
			s.order("allocation-events.0.9", 2, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1", "2", "CHAIR.2"))
		}},
		"an order is ready on a batch that its line was never on": {RuleReady, "alice.1 1", func(s *tale) {
			s.edit("BatchCreated", "CHAIR.2", `,"eta":"2030-01-01"`, "")
			s.edit("OrderReady", "alice.1", "CHAIR.1", "CHAIR.2")
		}},
		"an order is ready by an event about another line": {RuleReady, "alice.1 1", func(s *tale) {
			s.edit("OrderReady", "alice.1", `"fact":3`, fmt.Sprintf(`"fact":%d`, s.put["alice.2 1"]))
		}},
		"an order is ready by no event": {RuleReady, "alice.1 1", func(s *tale) { s.edit("OrderReady", "alice.1", `,"fact":3`, "") }},

		"a VIP was never told":         {RuleVIP, "alice", func(s *tale) { s.lose("CustomerBecameVIP", "") }},
		"a VIP was told twice":         {RuleVIP, "alice", func(s *tale) { s.order("orders-commands.0.9", 3, "CustomerBecameVIP", "alice.3", "") }},
		"a VIP was told with another":  {RuleVIP, "alice", func(s *tale) { s.edit("CustomerBecameVIP", "", "alice.3", "alice.4") }},
		"a VIP was told of two orders": {RuleVIP, "bob", func(s *tale) { s.order("orders-commands.0.9", 3, "CustomerBecameVIP", "bob.1", "") }},
		"a VIP was told too early": {RuleVIP, "alice", func(s *tale) {
			s.lose("OrderPlaced", "alice.2")
			s.lose("OrderCancelled", "alice.2")
		}},

		"a cancelled line is kept at stock": {RuleBehind, "alice.2 1", func(s *tale) { s.lose("Deallocated", `"alice.2","lineid":"1"`) }},
		"a removed line is kept at stock":   {RuleBehind, "alice.2 2", func(s *tale) { s.lose("Deallocated", `"alice.2","lineid":"2"`) }},
		"an expired line is kept at stock":  {RuleBehind, "bob.1 1", func(s *tale) { s.lose("Deallocated", "bob.1") }},
		"a rejected line waits at stock": {RuleBehind, "bob.2 1", func(s *tale) {
			s.write(topics.StockEvents, "allocation.v1.", "OutOfStock", "UNICORN", `{"orderid":"bob.2","lineid":"1","sku":"UNICORN","qty":1}`, "ce_id", "warehouse-commands.0.3.0", "ce_sequence", "1")
		}},
		"stock has a line that nobody wants": {RuleBehind, "carol.1 1", func(s *tale) { s.take("warehouse-commands.0.3", "Allocated", "carol.1", "1", 1, "CHAIR.1", "") }},
		"a cart keeps a line that is allocated": {RuleBehind, "bob.4 1", func(s *tale) {
			s.take(s.add("bob.4", "1", 1), "Allocated", "bob.4", "1", 1, "CHAIR.1", "")
		}},
		"a cart keeps a line that waits": {RuleBehind, "bob.4 1", func(s *tale) {
			s.take(s.add("bob.4", "1", 20), "OutOfStock", "bob.4", "1", 20, "", "")
		}},

		"a cart expired after a second": {RuleExpired, "bob.1 1", func(s *tale) {
			s.at("ExpireCart", "bob.1", s.at("AddToCart", "bob.1", time.Time{}).Add(time.Second))
		}},
		"a cart expired a millisecond too early": {RuleExpired, "bob.1 1", func(s *tale) {
			s.at("ExpireCart", "bob.1", s.now.Add(-time.Millisecond))
		}},
		"a line expired by the time since it was added": {RuleExpired, "bob.4 1", func(s *tale) {
			s.twoLinesOfWhichOneExpires(time.Second)
		}},
		"a line that waited expired without its cart": {RuleExpired, "bob.4 1", func(s *tale) {
			s.twoLinesOfWhichOneExpires(0)
			s.lose("Allocated", `"bob.4","lineid":"1"`)
		}},
		"a line expired by a customer": {RuleExpired, "alice.2 2", func(s *tale) {
			s.edit("CartLineRemoved", "alice.2", `"reason":"customer"`, `"reason":"expired"`)
			s.at("RemoveFromCart", "alice.2", s.now)
		}},
		"a line expired by the command of another cart": {RuleExpired, "bob.1 1", func(s *tale) { s.edit("ExpireCart", "", "bob.1", "bob.2") }},

		"an order that nothing is missing of stays": {RuleStuck, "alice.4", func(s *tale) {
			s.house("ShipmentArrived", `"batchref":"CHAIR.2","qty":5`)
			s.stock("warehouse-commands.0.3", "BatchEtaChanged", `"batchref":"CHAIR.2"`)
		}},
		"a line waits for what is there":      {RuleStuck, "alice.3 1", func(s *tale) { s.edit("BatchCreated", "CHAIR.2", `"qty":5`, `"qty":25`) }},
		"a wanted line is not known to stock": {RuleStuck, "alice.3 1", func(s *tale) { s.lose("OutOfStock", "alice.3") }},
		"a wanted line is cancelled at stock": {RuleStuck, "alice.3 1", func(s *tale) { s.take("warehouse-commands.0.3", "Deallocated", "alice.3", "1", 20, "", "cancelled") }},

		"a line was picked twice": {RulePick, "alice.1 1", func(s *tale) {
			r := *s.records[s.find("LinePicked", "")]
			s.house("LinePicked", string(r.Value[len(`{"sku":"CHAIR",`):len(r.Value)-1]))
		}},
		"a line was shipped twice":     {RulePick, "alice.1 1", func(s *tale) { s.house("LineShipped", `"orderid":"alice.1","lineid":"1","batchref":"CHAIR.1","qty":2`) }},
		"what was picked is forgotten": {RulePick, "alice.1 1", func(s *tale) { s.lose("LineShipped", "") }},
		"a line left that was not announced": {RulePick, "alice.1 1", func(s *tale) {
			s.lose("OrderReady", "")
		}},
		"stock was told more often that a line left": {RulePick, "alice.1 1", func(s *tale) {
			s.ask("Dispatch", "alice.1", "1", "")
		}},
		"a line was to be picked for nothing": {RulePick, "alice.4 1", func(s *tale) {
			s.task("PickLine", `"orderid":"alice.4","lineid":"1","batchref":"CHAIR.2"`)
		}},
		"a line that was ready was not to be picked": {RulePick, "alice.5 2", func(s *tale) {
			s.twoLines("CHAIR.1")
			s.order("allocation-events.0.9", 2, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1", "2", "CHAIR.1"))
		}},

		"the warehouse lost what stock does not know": {RuleLedger, "CHAIR.1", func(s *tale) { s.house("GoodsLost", `"batchref":"CHAIR.1","qty":1,"reason":"damaged"`) }},
		"stock was told of a loss that was none":      {RuleLedger, "CHAIR.1", func(s *tale) { s.lose("GoodsLost", "") }},
		"stock has a batch that was never announced":  {RuleLedger, "CHAIR.2", func(s *tale) { s.lose("ShipmentAnnounced", "CHAIR.2") }},
		"stock never heard of a batch":                {RuleLedger, "CHAIR.3", func(s *tale) { s.house("ShipmentAnnounced", `"batchref":"CHAIR.3","qty":1`) }},
		"a batch arrived for one only":                {RuleLedger, "CHAIR.2", func(s *tale) { s.house("ShipmentArrived", `"batchref":"CHAIR.2","qty":5`) }},

		"an announcement came to nothing":    {RuleTask, "CHAIR.3", func(s *tale) { s.task("AnnounceShipment", `"shipment":3,"qty":5`) }},
		"a shipment was announced by nobody": {RuleTask, "CHAIR.2", func(s *tale) { s.lose("AnnounceShipment", `"shipment":2`) }},
		"a shipment was announced by a count": {RuleTask, "CHAIR.2", func(s *tale) {
			set(s.records[s.find("AnnounceShipment", `"shipment":2`)], "ce_type", "warehouse.v1.CountBatch")
		}},
		"a shipment arrived by a count": {RuleTask, "CHAIR.2", func(s *tale) {
			s.task("ReceiveShipment", `"shipment":2`)
			s.task("CountBatch", `"shipment":2,"report":"r2","qty":5`)
			s.house("ShipmentArrived", `"batchref":"CHAIR.2","qty":5`)
		}},
		"a shipment was announced with more":          {RuleTask, "CHAIR.2", func(s *tale) { s.edit("ShipmentAnnounced", "CHAIR.2", `"qty":5`, `"qty":6`) }},
		"a shipment was announced for another day":    {RuleTask, "CHAIR.2", func(s *tale) { s.edit("ShipmentAnnounced", "CHAIR.2", "2030-01-01", "2030-01-02") }},
		"a shipment that was received did not arrive": {RuleTask, "CHAIR.2", func(s *tale) { s.task("ReceiveShipment", `"shipment":2`) }},
		"a shipment arrived that was not received":    {RuleTask, "CHAIR.2", func(s *tale) { s.house("ShipmentArrived", `"batchref":"CHAIR.2","qty":5`) }},
		"a shipment arrived twice": {RuleTask, "CHAIR.2", func(s *tale) {
			s.task("ReceiveShipment", `"shipment":2`)
			s.house("ShipmentArrived", `"batchref":"CHAIR.2","qty":5`)
			s.house("ShipmentArrived", `"batchref":"CHAIR.2","qty":5`)
		}},
		"goods were lost that nobody reported": {RuleTask, "CHAIR.1", func(s *tale) { s.lose("ReportDamage", "") }},
		"goods were lost of another batch":     {RuleTask, "CHAIR.1", func(s *tale) { s.edit("ReportDamage", "", `"shipment":1`, `"shipment":2`) }},
		"more was lost than was reported":      {RuleTask, "CHAIR.1", func(s *tale) { s.edit("GoodsLost", "", `"qty":1`, `"qty":2`) }},
		"more was lost than was counted to miss": {RuleTask, "CHAIR.1", func(s *tale) {
			s.task("CountBatch", `"shipment":1,"report":"r2","qty":6`)
			s.house("GoodsLost", `"batchref":"CHAIR.1","qty":2,"reason":"counted"`)
		}},
		"more was found than was lost": {RuleTask, "CHAIR.1", func(s *tale) {
			s.task("CountBatch", `"shipment":1,"report":"r2","qty":9`)
			s.house("GoodsFound", `"batchref":"CHAIR.1","qty":2`)
		}},
		"a report had an effect when it was repeated": {RuleTask, "CHAIR.1", func(s *tale) {
			s.task("CountBatch", `"shipment":1,"report":"r2","qty":7`)
			s.task("CountBatch", `"shipment":1,"report":"r2","qty":6`)
			s.house("GoodsLost", `"batchref":"CHAIR.1","qty":1,"reason":"counted"`)
		}},
		"a report was noted twice by one task": {RuleTask, "CHAIR.1", func(s *tale) {
			s.house("GoodsLost", `"batchref":"CHAIR.1","qty":1,"reason":"damaged"`)
		}},
		"a report was noted twice": {RuleTask, "CHAIR.1", func(s *tale) {
			s.task("ReportDamage", `"shipment":1,"report":"r1","qty":1`)
			s.house("GoodsLost", `"batchref":"CHAIR.1","qty":1,"reason":"damaged"`)
		}},

		"events have a gap": {RuleSequence, "alice", func(s *tale) {
			s.records = slices.Delete(s.records, s.find("OrderReady", ""), s.find("OrderReady", "")+1)
		}},
		"events changed places":     {RuleSequence, "CHAIR", func(s *tale) { s.swap(s.find("Dispatched", "alice.1"), s.find("OutOfStock", "")) }},
		"a repeat has more":         {RuleSequence, "bob", func(s *tale) { s.repeat("CartExpired", "bob.1", " ") }},
		"an event is not its key's": {RuleFold, "bob.1", func(s *tale) { s.edit("CartExpired", "", `"customerid":"bob"`, `"customerid":"alice"`) }},
		"an order is placed twice":  {RuleFold, "alice.3", func(s *tale) { s.order("orders-commands.0.9", 4, "OrderPlaced", "alice.3", "") }},

		"a command came to nothing":     {RuleCommand, "alice.2", func(s *tale) { s.lose("OrderCancelled", "") }},
		"an article came to nothing":    {RuleCommand, "bob.3", func(s *tale) { s.customer("AddToCart", "bob.3", `,"sku":"CHAIR","qty":1`) }},
		"a command made an event twice": {RuleCommand, "alice.3", func(s *tale) { s.double("CartLineAdded", "alice.3", `"lineid":"1"`, `"lineid":"2"`) }},
		"a cart is placed as it expires": {RuleCommand, "alice.5", func(s *tale) {
			s.take(s.add("alice.5", "1", 1), "Allocated", "alice.5", "1", 1, "CHAIR.1", "")
			s.order(s.expire("alice.5"), 0, "OrderPlaced", "alice.5", "")
		}},
		"stock was never asked":            {RuleCommand, "alice.3", func(s *tale) { s.lose("Allocate", "alice.3") }},
		"stock was asked for more":         {RuleCommand, "alice.3 1", func(s *tale) { s.edit("Allocate", "alice.3", `"qty":20`, `"qty":21`) }},
		"stock was asked without an order": {RuleCommand, "alice.3", func(s *tale) { set(s.records[s.find("Allocate", "alice.3")], "ce_correlationid", "x") }},

		"a command was refused for nothing": {RuleLetter, "alice.4", func(s *tale) {
			s.customer("PlaceOrder", "alice.4", "")
			s.letter(topics.OrderLetters, "orders.v1.", "PlaceOrder", topics.OrderCommands, "order_ended")
		}},
		"a line left that was not there": {RuleLetter, "warehouse.commands 0@14", func(s *tale) {
			s.ask("Dispatch", "alice.3", "1", "")
			s.letter(topics.StockLetters, "allocation.v1.", "Dispatch", topics.StockCommands, "line_waiting")
		}},
		"a command failed": {RuleLetter, "warehouse.commands 0@0", func(s *tale) {
			s.write(topics.StockLetters, "allocation.v1.", "CreateBatch", "CHAIR", "{}", "dlq-reason", "internal", "dlq-original-topic", topics.StockCommands, "dlq-original-partition", "0", "dlq-original-offset", "0")
		}},

		"a customer's row is behind":       {RuleTables, "alice", func(s *tale) { s.tables.Customers[0].Placed = 3 }},
		"an order's row is missing":        {RuleTables, "orders", func(s *tale) { s.tables.Orders = s.tables.Orders[1:] }},
		"an order is ready in the table":   {RuleTables, "alice.3", func(s *tale) { s.tables.Orders[2].Phase = "ready" }},
		"a line is elsewhere in the table": {RuleTables, "alice.4 1", func(s *tale) { s.tables.OrderLines[4].Batch = "CHAIR.1" }},
		"a batch arrived in orders' table": {RuleTables, "CHAIR.2", func(s *tale) { s.tables.Known[1].Arrived = true }},
		"a batch has more in the table":    {RuleTables, "CHAIR.1", func(s *tale) { s.tables.Batches[0].Qty = 8 }},
		"a line is open in stock's table":  {RuleTables, "bob.1 1", func(s *tale) { s.tables.StockLines[5].State = waiting }},
		"the ledger's table lost more":     {RuleTables, "CHAIR.1", func(s *tale) { s.tables.Ledger[0].Lost = 2 }},
		"the ledger's table lacks a batch": {RuleTables, "CHAIR", func(s *tale) { s.tables.Ledger = s.tables.Ledger[1:] }},
		"what is over is another sum": {RuleTables, "CHAIR", func(s *tale) {
			s.tables.Ledger = s.tables.Ledger[1:]
			s.tables.Over = []OverRow{{"CHAIR", 1, 10, 1, 3}}
		}},
		"a dead letter has no row": {RuleTables, "orders.commands 0@2", func(s *tale) { s.tables.Letters = s.tables.Letters[1:] }},

		"a row was not published":    {RuleOutbox, "orders: orders.commands 0", func(s *tale) { s.tables.Positions[0].Published-- }},
		"a record was not applied":   {RuleOutbox, "allocation: warehouse.commands 0", func(s *tale) { s.tables.Positions[2].NextOffset-- }},
		"nobody takes a partition":   {RuleOutbox, "warehouse.tasks 0", func(s *tale) { s.tables.Positions = slices.Delete(s.tables.Positions, 3, 4) }},
		"a customer is held at last": {RuleHeld, "orders: alice", func(s *tale) { s.tables.Held = []HeldRow{{orderSchema, "alice"}} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodTale(t)
			fault.spoil(s)
			found := s.check()
			require.True(t, slices.ContainsFunc(found, func(v Violation) bool { return v.Rule == fault.rule && v.About == fault.about }),
				"%s [%s] is not among %s", fault.rule, fault.about, Report(found))
		})
	}
}

// twoLines has a customer place an order of two lines, the second of which is on a batch.
func (s *tale) twoLines(second string) {
	s.take(s.add("alice.5", "1", 1), "Allocated", "alice.5", "1", 1, "CHAIR.1", "")
	s.take(s.add("alice.5", "2", 1), "Allocated", "alice.5", "2", 1, second, "")
	s.place("alice.5")
}

// twoLinesOfWhichOneExpires has one line of a cart expire. The other one is added later.
func (s *tale) twoLinesOfWhichOneExpires(late time.Duration) {
	of := s.add("bob.4", "1", 1)
	s.now = s.now.Add(late)
	s.take(of, "Allocated", "bob.4", "1", 1, "CHAIR.1", "")
	s.now = s.now.Add(cartTime - late)
	s.add("bob.4", "2", 1)
	s.order(s.expire("bob.4"), 0, "CartLineRemoved", "bob.4", `,"lineid":"1","sku":"CHAIR","qty":1,"reason":"expired"`)
}

// readyLines are those of an OrderReady of alice.5: of one chair each, as line and batch.
func (s *tale) readyLines(of ...string) string {
	var lines []string
	for i := 0; i < len(of); i += 2 {
		lines = append(lines, fmt.Sprintf(`{"sku":"CHAIR","lineid":%q,"qty":1,"batchref":%q,"fact":%d}`, of[i], of[i+1], s.put["alice.5 "+of[i]]))
	}
	return `,"lines":[` + strings.Join(lines, ",") + `]`
}

// swap has two records of a topic in each other's place.
func (s *tale) swap(i, j int) { s.records[i], s.records[j] = s.records[j], s.records[i] }

// repeat has an event come again, with something more in it.
func (s *tale) repeat(kind, text, more string) {
	again := *s.records[s.find(kind, text)]
	again.Value = append(slices.Clone(again.Value), more...)
	s.records = append(s.records, &again)
}

// double has the command of an event make another one, as the last of the key.
func (s *tale) double(kind, text, old, new string) {
	r := *s.records[s.find(kind, text)]
	of := readMessage(&r).command()
	s.order(of, 1, kind, text, string(r.Value[len(`{"customerid":"alice","orderid":"alice.3"`):len(r.Value)-1]))
	last := s.records[len(s.records)-1]
	require.Contains(s.t, string(last.Value), old)
	last.Value = bytes.Replace(last.Value, []byte(old), []byte(new), 1)
}
