package warehouse_test

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/domain/warehouse"
)

// known are the lines on a batch, as orders knows them: their announcements, by order.
func (w *world) known(ref string) map[string]warehouse.ReadyLine {
	on := map[string]warehouse.ReadyLine{}
	for _, f := range w.facts[:w.followed] {
		var d warehouse.Data
		require.NoError(w, json.Unmarshal([]byte(f.data), &d))
		switch f.kind {
		case warehouse.Allocated:
			on[d.OrderID] = warehouse.ReadyLine{SKU: sku, LineID: "1", Qty: *d.Qty, BatchRef: d.BatchRef, Fact: f.sequence}
		case warehouse.Deallocated, warehouse.Dispatched:
			delete(on, d.OrderID)
		}
	}
	maps.DeleteFunc(on, func(_ string, l warehouse.ReadyLine) bool { return l.BatchRef != ref })
	return on
}

func (w *world) announce(order string, l warehouse.ReadyLine) {
	w.readies = append(w.readies, warehouse.OrderReady{
		CustomerID: "alice", Sequence: int64(len(w.readies) + 1), OrderID: order, Lines: []warehouse.ReadyLine{l},
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
	if w.picked == len(w.picks) {
		return false
	}
	w.picked++
	w.do(w.picks[w.picked-1].kind, "%s", w.picks[w.picked-1].data)
	return true
}

// requireAnnounced requires of a line that is picked that the last of stock about it, as far as was
// heard, is the Allocated that it was announced with.
func (w *world) requireAnnounced(picked warehouse.Data) {
	var last fact
	for _, f := range w.facts[:w.heard] {
		if read(w, f.data).OrderID == picked.OrderID {
			last = f
		}
	}
	require.Equal(w, []string{warehouse.Allocated, picked.BatchRef}, []string{last.kind, read(w, last.data).BatchRef})
	require.True(w, slices.ContainsFunc(w.picks[:w.picked], func(p message) bool {
		d := read(w, p.data)
		return d.OrderID == picked.OrderID && d.Fact == last.sequence
	}))
}

func read(t require.TestingT, data string) (d warehouse.Data) {
	require.NoError(t, json.Unmarshal([]byte(data), &d))
	return d
}

// repeat has the warehouse hear something again. What it told itself may have an effect again.
func (w *world) repeat() {
	if w.heard > 0 {
		d := w.tell(w.facts[rapid.IntRange(0, w.heard-1).Draw(w.draws, "again")])
		require.True(w, d.Ignored)
	}
	if w.taken > 0 {
		d := w.decide(w.readies[rapid.IntRange(0, w.taken-1).Draw(w.draws, "again")])
		require.True(w, d.Ignored)
	}
	if w.picked > 0 {
		p := w.picks[rapid.IntRange(0, w.picked-1).Draw(w.draws, "again")]
		w.do(p.kind, "%s", p.data)
	}
}

// rest has all come that is on its way.
func (w *world) rest() {
	for w.deliver(&w.toStock) || w.deliver(&w.customers) || w.hear() || w.follow() || w.take() || w.pick() {
		w.adds()
	}
}

// adds requires that what the warehouse told adds up with what stock has, and that it keeps no more
// lines than it must.
func (w *world) adds() {
	on, awaited := map[string]int64{}, 0
	for _, l := range w.ledger.Lines {
		if on[l.Batch] += l.Qty; l.Batch == "" {
			awaited++
			require.Greater(w, l.Ready, w.ledger.Fact, "%+v", l)
		}
	}
	require.LessOrEqual(w, awaited, len(w.facts)-w.heard)
	for i := range w.ledger.Batches {
		b := &w.ledger.Batches[i]
		require.GreaterOrEqual(w, min(b.Shelf(), b.Lost, b.Shipped, b.Picked), int64(0), "%+v", b)
		require.LessOrEqual(w, on[b.Ref], b.Received-b.Shipped)
		at := w.batches[b.Ref]
		if at == nil {
			continue // stock does not know it yet
		}
		lost, ok := b.LostAt(at.revision)
		require.True(w, ok)
		require.Equal(w, b.Received-lost, at.qty+at.dispatched, "%+v, at stock %+v", b, at)
	}
}
