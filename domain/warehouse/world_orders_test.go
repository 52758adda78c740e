package warehouse_test

import (
	"encoding/json"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/domain/warehouse"
)

// known are the orders on a batch, as orders knows them.
func (w *world) known(ref string) func(func(string) bool) {
	on := map[string]string{}
	for _, f := range w.facts[:w.followed] {
		var d warehouse.Data
		require.NoError(w, json.Unmarshal([]byte(f.data), &d))
		switch f.kind {
		case warehouse.Allocated:
			on[d.OrderID] = d.BatchRef
		case warehouse.Deallocated, warehouse.Dispatched:
			delete(on, d.OrderID)
		}
	}
	return func(yield func(string) bool) {
		for order, batch := range on {
			if batch == ref && !yield(order) {
				return
			}
		}
	}
}

func (w *world) announce(order, batch string) {
	w.readies = append(w.readies, warehouse.OrderReady{
		CustomerID: "alice", Sequence: int64(len(w.readies) + 1), OrderID: order, Lines: []warehouse.ReadyLine{{SKU: sku, LineID: "1", Qty: 1, BatchRef: batch}},
	})
}

// take has the warehouse hear the next of orders.
func (w *world) take() bool {
	if w.taken == len(w.readies) {
		return false
	}
	w.taken++
	w.decide(w.readies[w.taken-1])
	return true
}

// pick has the warehouse do what it told itself.
func (w *world) pick() bool {
	if len(w.picks) == 0 {
		return false
	}
	p := w.picks[0]
	w.picks = w.picks[1:]
	w.do(p.kind, "%s", p.data)
	return true
}

// repeat has the warehouse hear something again.
func (w *world) repeat() {
	if w.heard > 0 {
		d := w.tell(w.facts[rapid.IntRange(0, w.heard-1).Draw(w.draws, "again")])
		require.True(w, d.Ignored)
	}
	if w.taken > 0 {
		d := w.decide(w.readies[rapid.IntRange(0, w.taken-1).Draw(w.draws, "again")])
		require.True(w, d.Ignored)
	}
}

// rest has all come that is on its way.
func (w *world) rest() {
	for w.deliver(&w.toStock) || w.deliver(&w.customers) || w.hear() || w.follow() || w.take() || w.pick() {
		w.adds()
	}
}

// adds requires that what the warehouse told adds up with what stock has.
func (w *world) adds() {
	for i := range w.ledger.Batches {
		b := &w.ledger.Batches[i]
		require.GreaterOrEqual(w, min(b.Shelf(), b.Lost, b.Shipped, b.Picked), int64(0), "%+v", b)
		at := w.batches[b.Ref]
		if at == nil {
			continue // stock does not know it yet
		}
		lost, ok := b.LostAt(at.revision)
		require.True(w, ok)
		require.Equal(w, b.Received-lost, at.qty+at.dispatched, "%+v, at stock %+v", b, at)
	}
}
