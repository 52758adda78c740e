package e2e

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// way is something that takes a time, and the services that it goes through.
type way struct {
	name    string
	needs   []string
	rate    float64     // how often it is asked for in a second; 0: asked says when
	asked   []time.Time // sorted
	answers []answer    // sorted by at
}

// answer is one time that a way was gone.
type answer struct {
	at   time.Time // when it was asked for
	took time.Duration
}

// expected is how many answers there are of a time in which everything went on.
func (w *way) expected(from, to time.Time) float64 {
	if w.rate > 0 {
		return w.rate * to.Sub(from).Seconds()
	}
	return float64(until(w.asked, to, time.Time.Compare) - until(w.asked, from, time.Time.Compare))
}

// in is how long what was asked for in a time took, sorted.
func (w *way) in(from, to time.Time) (took []time.Duration) {
	at := func(a answer, at time.Time) int { return a.at.Compare(at) }
	for _, each := range w.answers[until(w.answers, from, at):until(w.answers, to, at)] {
		took = append(took, each.took)
	}
	slices.Sort(took)
	return took
}

// until is how many are before a time.
func until[E any](all []E, end time.Time, compare func(E, time.Time) int) int {
	n, _ := slices.BinarySearchFunc(all, end, compare)
	return n
}

// ways are what TestStops measures.
type ways struct {
	click, line, placed, hop, task, batch *way
}

func (w *ways) all() []*way { return []*way{w.click, w.hop, w.line, w.placed, w.task, w.batch} }

// measure reads all events. Each has the time of the record of its command; its own is when it was
// published. Both are of one machine's clock, in milliseconds.
//
// How often customers ask follows from their pace. How often the simulator and the warehouse do
// depends on what is in the warehouse: their records are counted.
func (s *services) measure(p pace) *ways {
	w := &ways{
		click:  &way{name: "click to reservation", needs: []string{"orders", "allocation"}, rate: p.lines},
		hop:    &way{name: "one hop: orders' command to event of stock", needs: []string{"orders", "allocation"}, rate: p.lines},
		line:   &way{name: "AddToCart to event of orders", needs: []string{"orders"}, rate: p.lines},
		placed: &way{name: "PlaceOrder to event of orders", needs: []string{"orders"}, rate: p.orders},
		task:   &way{name: "task to event of the warehouse", needs: []string{"warehouse"}},
		batch:  &way{name: "warehouse's command to event of stock", needs: []string{"warehouse", "allocation"}},
	}
	clicks, first, waited, told := map[string]time.Time{}, map[string]event{}, map[string]bool{}, map[string]bool{}
	s.each([]string{topics.OrderEvents, topics.StockEvents, topics.WarehouseEvents, topics.Tasks, topics.StockCommands}, func(r *kgo.Record) {
		e := readEvent(r)
		answered := answer{e.of, r.Timestamp.Sub(e.of)}
		switch e.kind {
		case "AnnounceShipment", "ReceiveShipment": // again it has no event
			if again := e.kind + " " + e.shipment; !told[again] {
				told[again] = true
				w.task.asked = append(w.task.asked, r.Timestamp)
			}
		case "ReportDamage":
			w.task.asked = append(w.task.asked, r.Timestamp)
		case "ShipmentAnnounced", "ShipmentArrived", "GoodsLost":
			if e.reason != "counted" { // a count may have no event, and is left out
				w.task.answers = append(w.task.answers, answered)
			}
		case "CreateBatch", "ChangeBatchEta", "ChangeBatchQuantity":
			w.batch.asked = append(w.batch.asked, r.Timestamp)
		case "BatchCreated", "BatchEtaChanged", "BatchQuantityChanged":
			w.batch.answers = append(w.batch.answers, answered)
		case "OrderPlaced":
			w.placed.answers = append(w.placed.answers, answered)
		case "CartLineAdded":
			w.line.answers = append(w.line.answers, answered)
			clicks[e.line] = e.of
		case "Allocated", "OutOfStock": // the first of a line answers orders' command; what comes later has other causes
			if _, known := first[e.line]; !known {
				first[e.line], waited[e.line] = e, e.kind == "OutOfStock"
				w.hop.answers = append(w.hop.answers, answered)
			}
		}
	})
	for line, e := range first {
		if at, known := clicks[line]; known && !waited[line] { // one that had to wait for goods was not slow
			w.click.answers = append(w.click.answers, answer{at, e.published.Sub(at)})
		}
	}
	for _, each := range w.all() {
		slices.SortFunc(each.asked, time.Time.Compare)
		slices.SortFunc(each.answers, func(a, b answer) int { return a.at.Compare(b.at) })
	}
	return w
}
