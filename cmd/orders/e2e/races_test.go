package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// awaitLetter waits until stock has a dead letter of a command about an order, and gives its ID.
func (s *shop) awaitLetter(order, kind, reason string) (id string) {
	s.t.Helper()
	const about = ` from allocation.dead_letters join allocation.positions using (source)
where type like '%' || $1 and convert_from(value, 'utf8')::json ->> 'orderid' = $2`
	s.awaitRow(reason, `select reason`+about, kind, order)
	require.NoError(s.t, s.db.QueryRow(s.t.Context(), `select concat_ws('.', topic, partition, command_offset)`+about, kind, order).Scan(&id))
	return id
}

// The customer, the warehouse and stock act at the same time. What stock refuses then it refuses on
// purpose: the runbook names each, and no goods stay reserved for a line that nobody wants.
func TestRaces_makeTheDeadLettersThatTheRunbookNames(t *testing.T) {
	s := setup(t, "1h")
	order := func(id, sku string) {
		s.add(id, sku, 1)
		s.await("CartLineAdded " + id + " 1")
	}
	place := func(id string) {
		s.customer("PlaceOrder", `"cartid":%q`, id)
		s.await("OrderPlaced " + id)
	}
	s.warehouse("CreateBatch", "CHAIR", `"ref":"c1","qty":10,"eta":"2030-01-01"`)
	s.warehouse("CreateBatch", "LAMP", `"ref":"l1","qty":10,"eta":"2030-01-01"`)
	s.warehouse("CreateBatch", "LAMP", `"ref":"l2","qty":10`)
	s.awaitRow("3", `select count(*)::text from orders.stock_batches`)

	// The warehouse is later than the customer.
	order("alice.1", "CHAIR")
	s.awaitLine("alice.1", "cart reserved c1")
	s.customer("CancelOrder", `"orderid":"alice.1"`)
	s.await("OrderCancelled alice.1 customer")
	s.awaitRow("cancelled", `select state::text from allocation.lines where orderid = 'alice.1'`)
	s.warehouse("Dispatch", "CHAIR", `"orderid":"alice.1","lineid":"1"`)
	s.awaitLetter("alice.1", "Dispatch", "line_cancelled")

	// A line moved before the warehouse sent it: to a batch that is on its way, and then to none.
	order("alice.2", "LAMP")
	s.awaitLine("alice.2", "cart reserved l2")
	s.warehouse("ChangeBatchQuantity", "LAMP", `"batchref":"l2","qty":0`)
	s.awaitLine("alice.2", "cart reserved l1")
	s.warehouse("Dispatch", "LAMP", `"orderid":"alice.2","lineid":"1"`)
	s.awaitLetter("alice.2", "Dispatch", "batch_not_arrived")
	order("alice.3", "LAMP")
	s.awaitLine("alice.3", "cart reserved l1")
	s.warehouse("ChangeBatchQuantity", "LAMP", `"batchref":"l1","qty":0`)
	s.awaitLine("alice.3", "cart waiting")
	s.warehouse("Dispatch", "LAMP", `"orderid":"alice.3","lineid":"1"`)
	s.awaitLetter("alice.3", "Dispatch", "line_waiting")

	// The customer is later than the warehouse, and than a rejection.
	s.warehouse("ChangeBatchEta", "CHAIR", `"batchref":"c1","eta":null`)
	order("alice.4", "CHAIR")
	s.awaitLine("alice.4", "cart reserved c1")
	s.stockWorker.Signal(syscall.SIGSTOP)
	s.warehouse("Dispatch", "CHAIR", `"orderid":"alice.4","lineid":"1"`)
	s.customer("CancelOrder", `"orderid":"alice.4"`)
	s.await("OrderCancelled alice.4 customer")
	order("alice.5", "UNICORN")
	place("alice.5")
	s.customer("CancelOrder", `"orderid":"alice.5"`)
	s.await("OrderCancelled alice.5 customer")
	s.stockWorker.Signal(syscall.SIGCONT)
	s.awaitLetter("alice.4", "Deallocate", "line_dispatched")
	s.awaitLetter("alice.5", "Deallocate", "unknown_line")

	// Somebody retries what stock rejected. The line waits there then, and is taken back.
	dead := s.awaitLetter("alice.5", "Allocate", "unknown_sku")
	s.warehouse("CreateBatch", "UNICORN", `"ref":"u1","qty":0`)
	s.awaitRow("1", `select count(*)::text from orders.stock_batches where ref = 'u1'`)
	s.run("allocation", "dlq", "retry", dead)
	s.awaitRow("cancelled", `select state::text from allocation.lines where orderid = 'alice.5'`)

	rows, err := s.db.Query(t.Context(), `select distinct reason from allocation.dead_letters`)
	require.NoError(t, err)
	defer rows.Close()
	text, err := os.ReadFile("../../../docs/runbook.md")
	require.NoError(t, err)
	_, named, _ := strings.Cut(string(text), "some refusals of stock are made on purpose")
	named, _, _ = strings.Cut(named, "\n")
	for rows.Next() {
		var reason string
		require.NoError(t, rows.Scan(&reason))
		require.Contains(t, named, "`"+reason+"`")
	}
	require.NoError(t, rows.Err())
}

// A timestamp that nothing can keep stops nothing.
func TestTimestamps_thatCountForNothing(t *testing.T) {
	s := setup(t, "1h")
	anyTime := "9223372036854775807"
	_, err := kadm.NewClient(s.client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "message.timestamp.after.max.ms", Value: &anyTime}}, s.orders)
	require.NoError(t, err)
	for _, at := range []time.Time{time.UnixMilli(-1), time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)} {
		s.sendAt(at, s.orders, "orders.v1.", "AddToCart", "alice", `{"customerid":"alice","cartid":"alice.1","sku":"CHAIR","qty":1}`)
	}
	s.add("alice.2", "CHAIR", 1)
	s.await("CartLineAdded alice.2 1", "CartLineRejected alice.2 1 unknown_sku")
	s.awaitRow("3", `select count(*)::text from orders.dead_letters where reason = 'malformed' and message like '%timestamp is%'`)
	require.Contains(t, s.run("orders", "dlq", "list", "--json"), "9183110400000 ms, which is 2261-01-01")
}

// Who starts orders late has stock tell of its batches again, as the document says.
func TestBatches_thatOrdersNeverHeardOf(t *testing.T) {
	s := setup(t, "1h")
	s.warehouse("CreateBatch", "CHAIR", `"ref":"c1","qty":10`)
	s.awaitRow("1", `select count(*)::text from orders.stock_batches`)
	_, err := s.db.Exec(t.Context(), `delete from orders.stock_batches`)
	require.NoError(t, err)
	s.add("alice.1", "CHAIR", 1)
	s.await("CartLineAdded alice.1 1")
	s.awaitLine("alice.1", "cart reserved c1")
	s.customer("PlaceOrder", `"cartid":"alice.1"`)
	s.await("OrderPlaced alice.1")

	var batch struct{ Ref, SKU string }
	listed, _, _ := strings.Cut(s.run("allocation", "list", "batches", "--arrived", "--limit=1000", "--json"), "\n")
	require.NoError(t, json.Unmarshal([]byte(listed), &batch))
	s.run("allocation", "send", "ChangeBatchEta", "batchref="+batch.Ref, "sku="+batch.SKU, "eta=2099-12-31")
	s.run("allocation", "send", "ChangeBatchEta", "batchref="+batch.Ref, "sku="+batch.SKU)
	s.await("OrderReady alice.1 1@c1")
}
