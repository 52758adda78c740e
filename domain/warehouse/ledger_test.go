package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/domain/warehouse"
)

// Whatever happens, and whatever comes late or again: nothing is ever below zero, nothing leaves
// twice, and each moment all adds up with what stock has. Once all has come, what could leave has
// left.
func TestLedger_addsUpAtAnyMoment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.draws = t
		for range rapid.IntRange(1, 3).Draw(t, "shipments") {
			w.do("AnnounceShipment", `{"sku":%q,"shipment":%d,"qty":%d}`, sku, w.ledger.Last+1, rapid.IntRange(5, 20).Draw(t, "qty"))
		}
		for range rapid.IntRange(20, 150).Draw(t, "steps") {
			w.step()
		}
		w.rest()
		w.quiet()
	})
}

// all does something until there is nothing more of it.
func all(do func() bool) {
	for do() {
	}
}

// Until all events of a smaller quantity have come, the warehouse does not know which lines moved.
// One that moved, and is announced ready on its old batch, is not picked there.
func TestLedger_waitsForAllThatASmallerBatchDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stock, customers := func() bool { return w.deliver(&w.toStock) }, func() bool { return w.deliver(&w.customers) }
	w.do("AnnounceShipment", `{"sku":%q,"shipment":1,"qty":4}`, sku)
	w.do("AnnounceShipment", `{"sku":%q,"shipment":2,"qty":12}`, sku)
	all(stock)
	for _, qty := range []int{4, 5, 3, 4} { // the first fills the first shipment, the others the second
		w.orders++
		w.customers = append(w.customers, message{"Allocate", fmt.Sprintf(`{"orderid":"alice.%d","sku":%q,"lineid":"1","qty":%d}`, w.orders, sku, qty)})
	}
	w.customers = append(w.customers, message{"Deallocate", fmt.Sprintf(`{"orderid":"alice.1","sku":%q,"lineid":"1"}`, sku)})
	all(customers)
	all(w.hear)
	all(w.follow)

	w.do("ReportDamage", `{"sku":%q,"shipment":2,"report":"r","qty":8}`, sku)
	w.deliver(&w.toStock) // alice.2 waits, alice.3 moves to the first shipment, alice.4 stays
	all(w.take)
	all(w.pick)
	for w.hear() {
		require.Zero(t, w.ledger.Batch("CHAIR.2").Picked)
	}
	all(stock)
	all(w.hear)
	require.EqualValues(t, 4, w.ledger.Batch("CHAIR.2").Picked, "what stayed is picked")
	require.Zero(t, w.ledger.Batch("CHAIR.1").Picked, "what moved is announced again before")
	w.rest()
	w.quiet()
	require.EqualValues(t, 3, w.ledger.Batch("CHAIR.1").Shipped)
}

// quiet requires that the books of both agree, and that no line is left that can be sent.
func (w *world) quiet() {
	shipped, received := w.ledger.Over.Shipped, w.ledger.Over.Received
	for i := range w.ledger.Batches {
		b := &w.ledger.Batches[i]
		at := w.batches[b.Ref]
		require.Equal(w, warehouse.Batch{Picked: 0, Shipped: at.dispatched}, warehouse.Batch{Picked: b.Picked, Shipped: b.Shipped}, "%+v", b)
		require.Equal(w, at.qty, b.Shelf())
		require.False(w, b.Telling)
		shipped, received = shipped+b.Shipped, received+b.Received
	}
	dispatched := int64(0)
	for order, l := range w.lines {
		if l.dispatched {
			dispatched += l.qty
		} else if l.batch != "" {
			require.False(w, w.arrived[l.batch], "%s is on %s, and was not sent", order, l.batch)
		}
	}
	require.Equal(w, dispatched, shipped)
	require.LessOrEqual(w, shipped, received)
	for _, l := range w.ledger.Lines {
		require.False(w, l.Picked)
	}
	require.Equal(w, int64(len(w.facts)), w.ledger.Fact)
}
