package order_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	. "allocation/domain/order"
)

// story is stock and a warehouse beside a shop, and what is on its way between them. What is on its
// way comes in order within a queue, and in any order between queues.
type story struct {
	*shop
	t *rapid.T

	arrived map[string]bool   // batches at stock
	lines   map[string]string // the batches of open lines at stock, by order and line
	put     map[string]int64  // the sequence of the fact that put them there

	queues map[string][]func()
	step   int
	gone   map[string]int // the step in which a batch left last, by batch
	ready  map[string]int // the step in which an order was announced last, by order
}

func (s *story) send(queue string, arrives func()) {
	s.queues[queue] = append(s.queues[queue], arrives)
}

// receive has the first of a queue arrive.
func (s *story) receive(queue string) {
	first := s.queues[queue][0]
	if s.queues[queue] = s.queues[queue][1:]; len(s.queues[queue]) == 0 {
		delete(s.queues, queue)
	}
	first()
}

// fact has stock tell something.
func (s *story) fact(order string, fact func(sequence int64) Fact) {
	s.sequence++
	f := fact(s.sequence)
	s.send("facts", func() { s.decided(order, s.decide(order, f)) })
}

func (s *story) decided(order string, d Decision) {
	for _, e := range d.Events {
		if e.Type == OrderReady {
			s.ready[order] = s.step
			s.send("warehouse", func() { s.dispatch(order, e.Lines) })
		}
	}
	for _, o := range d.Orders {
		s.send("alice", func() { s.decided(o, s.decide(o, ReviewOrder{Of{"alice", o}})) })
	}
	if d.Review != nil {
		s.send("batch."+d.Review.BatchRef, func() { s.review(*d.Review) })
	}
}

func (s *story) review(m ReviewBatch) {
	state := &State{}
	for _, id := range slices.Sorted(maps.Keys(s.orders)) {
		if slices.ContainsFunc(s.orders[id].Lines, func(l Line) bool { return l.State == Reserved && l.Batch == m.BatchRef }) {
			state.OnBatch = append(state.OnBatch, id)
		}
	}
	s.decided("", Decide(m, state, s.now, Settings{}))
}

// dispatch has the warehouse send lines of an order, but none that moved since the fact that it is
// announced with. What stock refuses brings no fact.
func (s *story) dispatch(order string, lines []PickLine) {
	for _, l := range lines {
		batch := s.lines[order+"/"+l.LineID]
		if batch != "" && s.put[order+"/"+l.LineID] == l.Fact && s.arrived[batch] {
			delete(s.lines, order+"/"+l.LineID)
			s.fact(order, func(n int64) Fact {
				return LineFact{Kind: LineDispatched, Sequence: n, OrderID: order, SKU: "CHAIR", LineID: l.LineID, BatchRef: batch}
			})
		}
	}
}

// move has stock give a line a batch, or another one.
func (s *story) move(order, line, to string) {
	from, open := s.lines[order+"/"+line]
	if !open || from == to {
		return
	}
	fact := func(kind FactKind, batch string) {
		s.fact(order, func(n int64) Fact {
			return LineFact{Kind: kind, Sequence: n, OrderID: order, SKU: "CHAIR", LineID: line, BatchRef: batch}
		})
	}
	if from != "" {
		fact(Deallocated, from)
	}
	fact(Allocated, to)
	s.lines[order+"/"+line], s.put[order+"/"+line] = to, s.sequence
}

// turn has a batch arrive, or leave again. The fact that it left may be given up.
func (s *story) turn(ref string) {
	s.arrived[ref] = !s.arrived[ref]
	arrived := s.arrived[ref]
	if !arrived {
		s.gone[ref] = s.step
	}
	if arrived || !rapid.Bool().Draw(s.t, "given up") {
		s.fact("", func(n int64) Fact {
			return BatchFact{Kind: BatchEtaChanged, Sequence: n, Ref: ref, SKU: "CHAIR", Arrived: arrived}
		})
	}
}

// Whatever comes before what: when nothing is on its way any more, each placed order that could
// leave was announced after its batches were last gone, and so it has left where a warehouse works.
func TestReady_isToldAfterItsBatchesWereGone(t *testing.T) {
	t.Parallel()
	orders, refs := []string{"alice.1", "alice.2"}, []string{"b1", "b2"}
	rapid.Check(t, func(r *rapid.T) {
		s := &story{
			shop: newShop(t), t: r, arrived: map[string]bool{}, lines: map[string]string{}, put: map[string]int64{},
			queues: map[string][]func(){}, gone: map[string]int{}, ready: map[string]int{},
		}
		for _, o := range orders {
			for line := range 2 {
				s.add(o, "CHAIR")
				s.lines[fmt.Sprintf("%s/%d", o, line+1)] = ""
			}
			s.place(o)
		}
		works := rapid.Bool().Draw(r, "the warehouse works")
		queue := func() string {
			var names []string
			for name := range s.queues {
				if name != "warehouse" || works {
					names = append(names, name)
				}
			}
			if slices.Sort(names); len(names) == 0 {
				return ""
			}
			return rapid.SampledFrom(names).Draw(r, "queue")
		}
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			s.step++
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0:
				s.turn(rapid.SampledFrom(refs).Draw(r, "batch"))
			case 1:
				s.move(rapid.SampledFrom(orders).Draw(r, "order"), rapid.SampledFrom([]string{"1", "2"}).Draw(r, "line"), rapid.SampledFrom(refs).Draw(r, "to"))
			default:
				if name := queue(); name != "" {
					s.receive(name)
				}
			}
		}
		for name := queue(); name != ""; name = queue() {
			s.step++
			s.receive(name)
		}
		for _, o := range orders {
			s.requireTold(o, works)
		}
	})
}

// requireTold checks an order when nothing is on its way any more.
func (s *story) requireTold(order string, works bool) {
	var batches []string
	for _, line := range []string{"1", "2"} {
		if batch, open := s.lines[order+"/"+line]; open {
			batches = append(batches, batch)
		}
	}
	if slices.ContainsFunc(batches, func(ref string) bool { return !s.arrived[ref] }) {
		return
	}
	if works {
		require.Equal(s.t, Dispatched, s.orders[order].Phase)
		return
	}
	require.Equal(s.t, Ready, s.orders[order].Phase)
	for _, ref := range batches {
		require.Greater(s.t, s.ready[order], s.gone[ref])
	}
}
