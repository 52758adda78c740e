package order_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/deploy/checker"
	. "allocation/domain/order"
)

// restored is a shop whose database goes back, beside stock, whose does not. Stock is the checker's
// model. What the shop reads comes by three partitions: commands, and the events of two articles.
type restored struct {
	*shop
	t     *rapid.T
	stock *checker.Model

	asked []StockCommand // by the shop, on its way to stock
	logs  map[string][]entry
	at    map[string]int // how far each log is read

	backup func() // goes back to a copy
}

// entry is a command or a fact about an order, "" where it is about a batch.
type entry struct {
	order string
	Message
}

const commands = "commands"

func (s *restored) append(log, order string, m Message) {
	s.logs[log] = append(s.logs[log], entry{order, m})
}

// read has the shop decide the next of a log. It reports false where there is none.
func (s *restored) read(log string) bool {
	if s.at[log] == len(s.logs[log]) {
		return false
	}
	e := s.logs[log][s.at[log]]
	s.at[log]++
	d := s.decideOn(e)
	s.asked = append(s.asked, d.Stock...)
	for _, o := range d.Orders {
		s.append(commands, o, ReviewOrder{Of{"alice", o}})
	}
	if d.Review != nil {
		s.append(commands, "", *d.Review)
	}
	return true
}

func (s *restored) decideOn(e entry) Decision {
	m, ok := e.Message.(ReviewBatch)
	if !ok {
		return s.decide(e.order, e.Message)
	}
	state := &State{}
	for _, id := range slices.Sorted(maps.Keys(s.orders)) {
		if slices.ContainsFunc(s.orders[id].Lines, func(l Line) bool { return l.State == Reserved && l.Batch == m.BatchRef }) {
			state.OnBatch = append(state.OnBatch, id)
		}
	}
	return Decide(m, state, s.now, Settings{})
}

// deliver has stock decide what it was asked next.
func (s *restored) deliver() bool {
	if len(s.asked) == 0 {
		return false
	}
	c := s.asked[0]
	s.asked = s.asked[1:]
	s.atStock(c.Name, c.OrderID, string(c.AppendData(nil)))
	return true
}

func (s *restored) atStock(kind, correlation, data string) {
	_, events := s.stock.Apply(kind, "", []byte(data))
	for _, e := range events {
		var sequence int64
		parts := strings.SplitN(e, " ", 3)
		_, err := fmt.Sscan(parts[0], &sequence)
		require.NoError(s.t, err)
		fact, err := ReadFact(parts[1], sequence, correlation, []byte(parts[2]))
		require.NoError(s.t, err)
		switch f := fact.(type) {
		case LineFact:
			s.append(f.SKU, f.OrderID, f)
		case BatchFact:
			s.append(f.SKU, "", f)
		}
	}
}

// copy is a backup of the shop's database. What it sent since is not taken back.
func (s *restored) copy() {
	clone := func(of map[string]*Order) map[string]*Order {
		all := map[string]*Order{}
		for id, o := range of {
			copied := *o
			copied.Lines = slices.Clone(o.Lines)
			all[id] = &copied
		}
		return all
	}
	customer, orders, batches, early, at := s.customer, clone(s.orders), map[string]*Batch{}, map[string][]EarlyFact{}, maps.Clone(s.at)
	for ref, b := range s.batches {
		copied := *b
		batches[ref] = &copied
	}
	for id, facts := range s.early {
		early[id] = slices.Clone(facts)
	}
	s.backup = func() {
		s.customer, s.orders, s.batches, s.early, s.at, s.backup = customer, orders, batches, early, at, nil
	}
}

// happens has customers or the warehouse do something.
func (s *restored) happens(step int) {
	sku := rapid.SampledFrom([]string{"CHAIR", "LAMP"}).Draw(s.t, "sku")
	id := fmt.Sprint("alice.", rapid.IntRange(1, 3).Draw(s.t, "order"))
	of := Of{"alice", id}
	switch rapid.IntRange(0, 7).Draw(s.t, "happens") {
	case 0, 1, 2:
		s.append(commands, id, AddToCart{of, sku, 1})
	case 3:
		s.append(commands, id, PlaceOrder{of})
	case 4:
		s.append(commands, id, CancelOrder{of})
	case 5:
		s.append(commands, id, RemoveFromCart{of, sku, fmt.Sprint(rapid.IntRange(1, 4).Draw(s.t, "line"))})
	case 6:
		s.atStock("CreateBatch", "", fmt.Sprintf(`{"ref":"b%d","sku":%q,"qty":%d}`, step, sku, rapid.IntRange(1, 4).Draw(s.t, "qty")))
	case 7:
		s.atStock("ChangeBatchQuantity", "", fmt.Sprintf(`{"batchref":"b%d","sku":%q,"qty":%d}`, rapid.IntRange(0, step).Draw(s.t, "batch"), sku, rapid.IntRange(0, 4).Draw(s.t, "qty")))
	}
}

// Wherever the database goes back to, and in whatever order its partitions are read again: in the
// end each line that is wanted is where stock has it, and stock has none that is not.
func TestRestore_forgetsNoLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := &restored{shop: newShop(t), t: r, stock: checker.NewModel(), logs: map[string][]entry{}, at: map[string]int{}}
		logs := []string{commands, "CHAIR", "LAMP"}
		s.copy()
		for step := range rapid.IntRange(1, 80).Draw(r, "steps") {
			switch what := rapid.IntRange(0, 9).Draw(r, "what"); {
			case what < 4:
				s.happens(step)
			case what < 6:
				s.deliver()
			case what == 6 && s.backup == nil:
				s.copy()
			case what == 7 && s.backup != nil:
				s.backup()
			default:
				log := rapid.SampledFrom(logs).Draw(r, "log")
				for range rapid.SampledFrom([]int{1, 1, 9}).Draw(r, "reads") {
					s.read(log)
				}
			}
		}
		for {
			ready := slices.DeleteFunc(slices.Clone(logs), func(log string) bool { return s.at[log] == len(s.logs[log]) })
			if len(ready) > 0 {
				s.read(rapid.SampledFrom(ready).Draw(r, "log"))
			} else if !s.deliver() {
				break
			}
		}
		s.requireAsAtStock()
	})
}

func (s *restored) requireAsAtStock() {
	last := map[string]LineFact{} // by order, article and line
	for _, log := range []string{"CHAIR", "LAMP"} {
		for _, e := range s.logs[log] {
			if f, ok := e.Message.(LineFact); ok {
				last[f.OrderID+" "+f.SKU+" "+f.LineID] = f
			}
		}
	}
	for line, f := range last {
		if f.Kind == Allocated {
			require.NotNil(s.t, s.orders[f.OrderID], line)
			require.True(s.t, slices.ContainsFunc(s.orders[f.OrderID].Lines, func(l Line) bool { return l.SKU == f.SKU && l.ID == f.LineID && l.State == Reserved }), line)
		}
	}
	for id, o := range s.orders {
		if o.Phase != Cart {
			require.Empty(s.t, s.early[id])
		}
		for i := range o.Lines {
			l := &o.Lines[i]
			f := last[id+" "+l.SKU+" "+l.ID]
			switch l.State {
			case Reserved:
				require.Equal(s.t, []any{Allocated, l.Batch}, []any{f.Kind, f.BatchRef}, "%s %+v", id, *l)
			case Waiting:
				require.Equal(s.t, OutOfStock, f.Kind, "%s %+v", id, *l)
			case Requested:
				require.Fail(s.t, "stock has answered", "%s %+v: %+v", id, *l, f)
			default:
				require.NotEqual(s.t, Allocated, f.Kind, "%s %+v", id, *l)
			}
		}
	}
}
