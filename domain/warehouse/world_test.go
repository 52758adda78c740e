package warehouse_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/deploy/checker"
	"allocation/domain/warehouse"
)

const sku = "CHAIR"

// world is a warehouse with the services around it: stock, which is the checker's model, and
// customers whose lines are announced ready. What they tell each other comes in the order of its
// sender, as late as may be.
type world struct {
	require.TestingT
	draws *rapid.T // what happens

	ledger, customer warehouse.Ledger

	stock     *checker.Model
	batches   map[string]*stockBatch
	lines     map[string]*stockLine
	toStock   []message // of the warehouse
	customers []message // to stock, of customers
	picks     []message // that the warehouse sends itself, all of them
	picked    int       // so many were done

	facts    []fact // of stock, all of them
	heard    int    // so many by the warehouse
	followed int    // so many by orders
	arrived  map[string]bool
	readies  []warehouse.OrderReady // all of them
	taken    int                    // so many by the warehouse

	orders, reports int
}

type message struct{ kind, data string }

type fact struct {
	sequence   int64
	kind, data string
}

// stockBatch is a batch as stock has it.
type stockBatch struct{ qty, dispatched, revision int64 }

type stockLine struct {
	batch             string
	qty               int64
	dispatched, ended bool
}

func newWorld(t require.TestingT) *world {
	return &world{
		TestingT: t, stock: checker.NewModel(), batches: map[string]*stockBatch{}, lines: map[string]*stockLine{}, arrived: map[string]bool{},
	}
}

// step does one thing of those that may happen, and requires that all adds up.
func (w *world) step() {
	kind := rapid.IntRange(0, 8).Draw(w.draws, "step")
	for range rapid.SampledFrom([]int{1, 1, 2, 5}).Draw(w.draws, "times") {
		switch kind {
		case 0:
			w.task()
		case 1:
			w.shop()
		case 2:
			w.deliver(&w.toStock)
		case 3:
			w.deliver(&w.customers)
		case 4:
			w.hear()
		case 5:
			w.follow()
		case 6:
			w.take()
		case 7:
			w.pick()
		case 8:
			w.repeat()
		}
		w.adds()
	}
}

func (w *world) task() {
	of := fmt.Sprintf(`"sku":%q,"shipment":%d`, sku, rapid.Int64Range(1, max(1, w.ledger.Last)).Draw(w.draws, "shipment"))
	w.reports++
	switch rapid.IntRange(0, 5).Draw(w.draws, "task") {
	case 0:
		eta := rapid.SampledFrom([]string{"", `,"eta":"2030-01-01"`, `,"eta":"2030-01-02"`}).Draw(w.draws, "eta")
		w.do("AnnounceShipment", `{"sku":%q,"shipment":%d,"qty":%d%s}`, sku, w.ledger.Last+1, rapid.IntRange(1, 20).Draw(w.draws, "qty"), eta)
	case 1, 2:
		w.do("ReceiveShipment", `{%s}`, of)
	case 3, 4:
		w.do("ReportDamage", `{%s,"report":"%d","qty":%d}`, of, w.reports, rapid.IntRange(1, 9).Draw(w.draws, "qty"))
	case 5:
		w.do("CountBatch", `{%s,"report":"%d","qty":%d}`, of, w.reports, rapid.IntRange(0, 12).Draw(w.draws, "qty"))
	}
}

// do has the warehouse decide a task.
func (w *world) do(name, format string, args ...any) warehouse.Decision {
	m, refusal := warehouse.ReadTask(name, fmt.Appendf(nil, format, args...))
	require.Nil(w, refusal)
	return w.decide(m)
}

func (w *world) decide(m warehouse.Message) warehouse.Decision {
	ledger := &w.ledger
	if m.Key() != sku {
		ledger = &w.customer
	}
	before, _ := json.Marshal(ledger)
	d := warehouse.Decide(m, ledger)
	after, _ := json.Marshal(ledger)
	if !d.Changed {
		require.Equal(w, string(before), string(after), "%#v", m)
		require.Empty(w, d.Outputs)
	}
	require.NoError(w, json.Unmarshal(after, ledger), "it is kept as JSON")
	for _, o := range d.Outputs {
		data, err := json.Marshal(o.Data)
		require.NoError(w, err)
		if o.Type == "LinePicked" {
			w.requireAnnounced(o.Data)
		}
		switch o.To {
		case warehouse.Stock:
			w.toStock = append(w.toStock, message{o.Type, string(data)})
		case warehouse.Self:
			w.picks = append(w.picks, message{o.Type, string(data)})
		}
	}
	return d
}

// shop has a customer want a line, or no longer.
func (w *world) shop() {
	if w.orders > 0 && rapid.IntRange(0, 3).Draw(w.draws, "cancels") == 0 {
		order := fmt.Sprint("alice.", rapid.IntRange(1, w.orders).Draw(w.draws, "order"))
		if n := len(w.ledger.Lines); n > 0 {
			order = w.ledger.Lines[rapid.IntRange(0, n-1).Draw(w.draws, "line")].Order
		}
		w.customers = append(w.customers, message{"Deallocate", fmt.Sprintf(`{"orderid":%q,"sku":%q,"lineid":"1"}`, order, sku)})
		return
	}
	w.orders++
	w.customers = append(w.customers, message{"Allocate", fmt.Sprintf(`{"orderid":"alice.%d","sku":%q,"lineid":"1","qty":%d}`, w.orders, sku, rapid.IntRange(1, 5).Draw(w.draws, "qty"))})
}

// deliver has stock decide the next command of a sender.
func (w *world) deliver(from *[]message) bool {
	c, reason := w.ask(from)
	if c.kind == warehouse.Dispatch && reason != "" {
		require.Equal(w, "line_cancelled", reason, "only the customer takes a line away whose Dispatch is on its way: %s", c.data)
	}
	return c.kind != ""
}

// ask is deliver whatever stock answers. It gives the command, and why it was refused.
func (w *world) ask(from *[]message) (c message, reason string) {
	if len(*from) == 0 {
		return c, ""
	}
	c, *from = (*from)[0], (*from)[1:]
	reason, events := w.stock.Apply(c.kind, "", []byte(c.data))
	w.told(events)
	return c, reason
}

// told adds what stock says of a command.
func (w *world) told(events []string) {
	for _, e := range events {
		parts := strings.SplitN(e, " ", 3)
		var f fact
		_, err := fmt.Sscan(parts[0], &f.sequence)
		require.NoError(w, err)
		f.kind, f.data = parts[1], parts[2]
		if f.sequence > 0 {
			w.facts = append(w.facts, f)
			w.fold(f)
		}
	}
}

// fold follows what stock has, at once.
func (w *world) fold(f fact) {
	var d warehouse.Data
	require.NoError(w, json.Unmarshal([]byte(f.data), &d))
	line := w.lines[d.OrderID]
	if line == nil {
		line = &stockLine{}
		w.lines[d.OrderID] = line
	}
	switch f.kind {
	case warehouse.BatchCreated:
		w.batches[d.Ref] = &stockBatch{qty: *d.Qty, revision: -1}
	case warehouse.BatchQuantityChanged:
		w.batches[d.BatchRef].qty, w.batches[d.BatchRef].revision = *d.Qty, *d.Revision
	case warehouse.Allocated:
		line.batch, line.qty = d.BatchRef, *d.Qty
	case warehouse.Deallocated:
		line.batch, line.ended = "", d.Reason == "cancelled"
	case warehouse.Dispatched:
		require.False(w, line.dispatched, "%s left twice", d.OrderID)
		line.dispatched = true
		b := w.batches[d.BatchRef]
		b.qty, b.dispatched = b.qty-*d.Qty, b.dispatched+*d.Qty
		require.Equal(w, line.batch, d.BatchRef)
	}
}

// hear has the warehouse hear the next of stock.
func (w *world) hear() bool {
	if w.heard == len(w.facts) {
		return false
	}
	w.heard++
	w.tell(w.facts[w.heard-1])
	return true
}

func (w *world) tell(f fact) warehouse.Decision {
	m, refusal := warehouse.ReadFact(f.kind, f.sequence, []byte(f.data))
	require.Nil(w, refusal)
	if about := m.(warehouse.StockFact); f.kind == warehouse.Dispatched && f.sequence > w.ledger.Fact {
		i := slices.IndexFunc(w.ledger.Lines, func(l warehouse.Line) bool { return l.Order == about.OrderID })
		require.GreaterOrEqual(w, i, 0)
		l := w.ledger.Lines[i]
		require.Equal(w, warehouse.Line{Order: about.OrderID, ID: "1", Qty: *about.Qty, Batch: about.BatchRef, Fact: l.Ready, Ready: l.Ready, Picked: true}, l, "it leaves from where it was picked")
	}
	return w.decide(m)
}

// follow has orders hear the next of stock, and announce what is ready.
func (w *world) follow() bool {
	if w.followed == len(w.facts) {
		return false
	}
	f := w.facts[w.followed]
	w.followed++
	var d warehouse.Data
	require.NoError(w, json.Unmarshal([]byte(f.data), &d))
	switch f.kind {
	case warehouse.BatchCreated:
		w.arrived[d.Ref] = d.ETA == ""
	case warehouse.BatchEtaChanged:
		w.arrived[d.BatchRef] = d.ETA == ""
		known := w.known(d.BatchRef)
		for _, order := range slices.Sorted(maps.Keys(known)) {
			w.announce(order, known[order])
		}
	case warehouse.Allocated:
		if w.arrived[d.BatchRef] {
			w.announce(d.OrderID, w.known(d.BatchRef)[d.OrderID])
		}
	}
	return true
}
