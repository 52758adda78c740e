package order

import "time"

// State is what a decision may look at: what is known of the keys of a command or a fact. What
// there is not is nil. A decision changes it.
type State struct {
	Customer *Customer
	Order    *Order
	// Batches are those of the order's lines and of the fact, by reference.
	Batches map[string]*Batch
	// Early are the facts about lines of the order that are not there yet.
	Early []EarlyFact
	// OnBatch are the first orders with reserved lines of a batch that come behind the one that
	// ReviewBatch names, in the order of their ids, and ReviewPage at most.
	OnBatch []string
}

// Settings are the same for all workers of a service.
type Settings struct {
	// CartTime is after how long a line that is not placed expires.
	CartTime time.Duration
}

// Decision is what a command or a fact comes to.
type Decision struct {
	// Refusal is why a command cannot be done; nil: it was. It changes no state.
	Refusal *Refusal
	// Ignored says that a fact is not about orders of this service, or is not new.
	Ignored bool
	Events  []Event
	// Stock are commands for stock, by the outbox.
	Stock []StockCommand
	// Orders are to be looked at again, each by a ReviewOrder.
	Orders []string
	// Review goes through the orders of a batch; nil: nothing does.
	Review *ReviewBatch
}

// StockCommand is what stock is asked.
type StockCommand struct {
	Name    string // Allocate or Deallocate
	OrderID string
	SKU     string
	LineID  string
	Qty     int64 // of Allocate
}

// The commands for stock.
const (
	Allocate   = "Allocate"
	Deallocate = "Deallocate"
)

// decider decides one command or fact.
type decider struct {
	*State
	Settings
	at time.Time // of the record
	d  Decision
}

// emit adds an event, which counts with the customer's.
func (x *decider) emit(e Event) {
	x.Customer.Version++
	e.Sequence, e.CustomerID, e.OrderID = x.Customer.Version, x.Customer.ID, x.Order.ID
	x.d.Events = append(x.d.Events, e)
}

func (x *decider) ask(name string, l *Line) {
	c := StockCommand{Name: name, OrderID: x.Order.ID, SKU: l.SKU, LineID: l.ID}
	if name == Allocate {
		c.Qty = l.Qty
	}
	x.d.Stock = append(x.d.Stock, c)
}

// drop closes a line, and has stock take it back.
func (x *decider) drop(l *Line) {
	l.State, l.Batch = Removed, ""
	x.ask(Deallocate, l)
}

// cancel ends an order that no line is left of, or that the customer no longer wants.
func (x *decider) cancel(reason string) {
	for i := range x.Order.Lines {
		if l := &x.Order.Lines[i]; l.open() {
			x.drop(l)
		}
	}
	x.Order.Phase = Cancelled
	x.emit(Event{Type: OrderCancelled, Reason: reason})
}

// settle finds out, after a line changed, whether the order is as far as before.
func (x *decider) settle() {
	o := x.Order
	if o.Phase != Placed && o.Phase != Ready {
		return
	}
	living, left := o.count((*Line).living), o.count(func(l *Line) bool { return l.State == Left })
	switch {
	case living == 0:
		x.cancel(ReasonEmpty)
	case left == living:
		o.Phase = Dispatched
		x.emit(Event{Type: OrderDispatched})
	case o.Phase == Placed && x.arrived():
		o.Phase = Ready
		x.emit(Event{Type: OrderReady, Lines: o.toPick()})
	case o.Phase == Ready && !x.arrived():
		o.Phase = Placed
	}
}

// arrived reports whether each line that has not left is on a batch in the warehouse.
func (x *decider) arrived() bool {
	return x.Order.count(func(l *Line) bool {
		b := x.Batches[l.Batch]
		return l.open() && (l.State != Reserved || b == nil || !b.Arrived)
	}) == 0
}

// toPick are the lines that the warehouse is to send. The last fact about one that is reserved is
// the Allocated of its batch.
func (o *Order) toPick() (lines []PickLine) {
	for i := range o.Lines {
		if l := &o.Lines[i]; l.State == Reserved {
			lines = append(lines, PickLine{SKU: l.SKU, LineID: l.ID, Qty: l.Qty, BatchRef: l.Batch, Fact: l.Fact})
		}
	}
	return lines
}
