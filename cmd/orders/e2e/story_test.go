package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// The story of a customer: goods are reserved, the order waits for its batch, leaves, and the third
// one makes the customer a VIP. The two services share nothing but topics.
func TestStory(t *testing.T) {
	s := setup(t, "1h")
	s.warehouse("CreateBatch", "CHAIR", `"ref":"c1","qty":10,"eta":"2030-01-01"`)
	s.warehouse("CreateBatch", "TABLE", `"ref":"t1","qty":5`)
	s.warehouse("CreateBatch", "TABLE", `"ref":"t2","qty":5,"eta":"2030-01-01"`)
	s.awaitRow("3", `select count(*)::text from orders.stock_batches`)

	// It is reserved, placed, and waits for its batch.
	s.run("orders", "send", "AddToCart", "customerid=alice", "cartid=alice.1", "sku=CHAIR", "qty=2", "--id=the first")
	s.await("CartLineAdded alice.1 1")
	s.awaitLine("alice.1", "cart reserved c1")
	s.customer("PlaceOrder", `"cartid":"alice.1"`)
	s.await("OrderPlaced alice.1")
	s.awaitLine("alice.1", "placed reserved c1")
	s.warehouse("ChangeBatchEta", "CHAIR", `"batchref":"c1","eta":null`)
	s.await("OrderReady alice.1 1@c1")
	s.warehouse("Dispatch", "CHAIR", `"orderid":"alice.1","lineid":"1"`)
	s.await("OrderDispatched alice.1")
	s.awaitLine("alice.1", "dispatched dispatched c1")

	// An order is cancelled: stock has its goods again.
	s.add("alice.2", "CHAIR", 3)
	s.await("CartLineAdded alice.2 1")
	s.awaitLine("alice.2", "cart reserved c1")
	s.customer("PlaceOrder", `"cartid":"alice.2"`)
	s.await("OrderPlaced alice.2", "OrderReady alice.2 1@c1")
	s.customer("CancelOrder", `"orderid":"alice.2"`)
	s.await("OrderCancelled alice.2 customer")
	s.awaitRow("cancelled", `select state::text from allocation.lines where orderid = 'alice.2'`)

	// The third makes a VIP, once. Placed again, and cancelled, nothing more is told.
	s.add("alice.3", "TABLE", 4)
	s.await("CartLineAdded alice.3 1")
	s.awaitLine("alice.3", "cart reserved t1")
	s.customer("PlaceOrder", `"cartid":"alice.3"`)
	s.customer("PlaceOrder", `"cartid":"alice.3"`)
	s.customer("PlaceOrder", `"cartid":"alice.1"`)
	s.await("OrderPlaced alice.3", "CustomerBecameVIP alice.3", "OrderReady alice.3 1@t1")

	// The batch is cut: the line moves, and the order is ready again when the other has come. When
	// that is cut, too, the line waits.
	s.warehouse("ChangeBatchQuantity", "TABLE", `"batchref":"t1","qty":1`)
	s.awaitLine("alice.3", "placed reserved t2")
	s.warehouse("ChangeBatchEta", "TABLE", `"batchref":"t2","eta":null`)
	s.await("OrderReady alice.3 1@t2")
	s.warehouse("ChangeBatchQuantity", "TABLE", `"batchref":"t2","qty":0`)
	s.awaitLine("alice.3", "placed waiting")

	// What stock rejects leaves the order, and an order that is left empty ends. It still counts.
	s.add("alice.4", "UNICORN", 1)
	s.await("CartLineAdded alice.4 1", "CartLineRejected alice.4 1 unknown_sku")
	s.customer("CancelOrder", `"orderid":"alice.3"`)
	s.await("OrderCancelled alice.3 customer")
	s.awaitRow("3", `select placed::text from orders.customers where id = 'alice'`)

	s.unknownAndPoison()
	s.subcommands()
}

// unknownAndPoison sends what is not for orders, and what is none of its commands.
func (s *shop) unknownAndPoison() {
	s.warehouse("Allocate", "TABLE", `"orderid":"somebody else's","qty":1`)
	s.send(s.orders, "orders.v1.", "Allocated", "alice", `{"orderid":"alice.1","sku":"CHAIR","lineid":"1","batchref":"c1"}`)
	s.awaitRow("unknown_type", `select reason from orders.dead_letters`)
	s.awaitRow("1", `select count(*)::text from allocation.dead_letters where reason = 'unknown_sku'`)
}

// subcommands are the engine's, for this service.
func (s *shop) subcommands() {
	t := s.t
	var found struct{ Letters []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(s.run("orders", "dlq", "list", "--json")), &found))
	require.Len(t, found.Letters, 1)
	require.Contains(t, s.run("orders", "explain", "command", found.Letters[0].ID), "unknown_type")
	require.Contains(t, s.run("orders", "explain", "command", "the first"), "order alice.1: line 1, 2 of CHAIR")
	s.run("orders", "dlq", "discard", found.Letters[0].ID)
	s.awaitRow("discarded", `select state::text from orders.dead_letters`)
	s.explainsFacts()
	require.Contains(t, s.run("orders", "offsets", "list"), s.facts)
	require.Regexp(t, `engine \d+ and orders \d+; this program`, s.run("orders", "status"))
	require.Contains(t, s.run("orders", "topics", "create"), s.letters)
}

// explainsFacts asks what became of the first fact of each partition. Orders keeps a batch that is
// due, and has no event of it.
func (s *shop) explainsFacts() {
	t := s.t
	rows, _ := s.db.Query(t.Context(), `select concat_ws('.', topic, partition, 0) from orders.positions where topic = $1 and next_offset > 0`, s.facts)
	facts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	due := 0
	for _, fact := range facts {
		text := s.run("orders", "explain", "command", fact)
		require.Regexp(t, `, type (BatchCreated|AllocationRejected), `, text)
		if strings.Contains(text, "with the key CHAIR,") {
			require.Contains(t, text, "without event: what orders keeps may have changed all the same, and it was not refused")
			due++
		}
	}
	require.Equal(t, 1, due)
}

// What is in a cart expires a set time after it was reserved, and goes back to stock.
func TestCart_expires(t *testing.T) {
	s := setup(t, "2s")
	s.warehouse("CreateBatch", "CHAIR", `"ref":"c1","qty":10`)
	s.awaitRow("1", `select count(*)::text from orders.stock_batches`)
	s.add("alice.1", "CHAIR", 2)
	s.await("CartLineAdded alice.1 1", "CartLineRemoved alice.1 1 expired", "CartExpired alice.1")
	s.awaitRow("cancelled", `select state::text from allocation.lines where orderid = 'alice.1'`)
}
