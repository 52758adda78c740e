package orders

import (
	"allocation/domain/order"
	"allocation/store"
)

// Event gives an event of a command or a fact: what happened, then commands for stock, then those
// for this service.
func (a *aggregate) Event(i, n int, at store.Ref, value []byte) (store.Event, []byte) {
	m := &a.messages[i]
	d := &m.decision
	if n < len(d.Events) {
		e := &d.Events[n]
		event := store.Event{Type: string(e.Type), Key: e.CustomerID, Subject: e.OrderID, Sequence: e.Sequence}
		a.follow(&event, at)
		return event, e.AppendData(value)
	}
	if n -= len(d.Events); n < len(d.Stock) {
		c := &d.Stock[n]
		event := store.Event{Type: c.Name, Key: m.keys.CustomerID, RecordKey: c.SKU, Subject: c.OrderID, Correlation: c.OrderID}
		a.follow(&event, at)
		return event, c.AppendData(value)
	}
	// The order of these among each other does not matter, since each looks at what there is then.
	if n -= len(d.Stock); n < len(d.Orders) {
		of := order.Of{CustomerID: order.CustomerOf(d.Orders[n]), OrderID: d.Orders[n]}
		event := store.Event{Type: "ReviewOrder", Key: keyOf(m.keys), RecordKey: of.CustomerID, Subject: of.OrderID, Correlation: of.OrderID}
		return event, of.AppendData(value)
	}
	return store.Event{Type: "ReviewBatch", Key: keyOf(m.keys), Subject: d.Review.BatchRef}, d.Review.AppendData(value)
}

// follow has what is published of a customer come in one order: also what goes to stock, which must
// not hear of a cancellation before it hears of the line.
func (a *aggregate) follow(event *store.Event, at store.Ref) {
	c := a.loaded.customers[event.Key]
	event.Last, c.last = c.last, at
}
