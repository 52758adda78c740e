package warehouse

import "fmt"

// Message is a task, or an event of another service.
type Message interface {
	// Key is the article that it is about, or the customer.
	Key() string
	decide(*decider)
}

// Decision is what a message came to.
type Decision struct {
	Outputs []Output
	Refusal *Refusal
	Changed bool // the ledger did
	Ignored bool // it is an event of before, or about nothing of the warehouse's
}

// Output is what is published.
type Output struct {
	Type string
	To   Receiver
	Data Data
}

// Receiver is who an Output is for.
type Receiver int

// The receivers.
const (
	All   Receiver = iota // it is an event
	Stock                 // a command
	Self                  // a command
)

// Refusal is the answer to a task that cannot be done. It changes nothing.
type Refusal struct {
	Reason  string // a word, for programs
	Message string // a sentence, for people: field, value, what is allowed
}

// The reasons of refusals.
const (
	ReasonMalformed        = "malformed"
	ReasonUnknownType      = "unknown_type"
	ReasonUnknownShipment  = "unknown_shipment"
	ReasonShipmentConflict = "shipment_conflict"
	ReasonNotArrived       = "not_arrived"
)

// Reasons are those of all refusals.
var Reasons = []string{ReasonMalformed, ReasonUnknownType, ReasonUnknownShipment, ReasonShipmentConflict, ReasonNotArrived}

// Decide decides a message on the ledger of its key.
func Decide(m Message, ledger *Ledger) Decision {
	x := &decider{Ledger: ledger}
	m.decide(x)
	if x.Changed {
		x.tidy()
	}
	return x.Decision
}

type decider struct {
	*Ledger
	Decision
}

func (x *decider) refuse(reason, format string, args ...any) {
	x.Refusal = &Refusal{reason, fmt.Sprintf(format, args...)}
}

func (x *decider) output(to Receiver, kind string, data Data) {
	x.Changed = true
	x.Outputs = append(x.Outputs, Output{kind, to, data})
}

// lose notes that something is lost of a batch, or was found (below zero).
func (x *decider) lose(b *Batch, sku string, qty int64, reason string) {
	switch {
	case qty == 0:
		return
	case qty > 0:
		x.output(All, "GoodsLost", Data{SKU: sku, BatchRef: b.Ref, Qty: &qty, Reason: reason})
	case qty < 0:
		found := -qty
		x.output(All, "GoodsFound", Data{SKU: sku, BatchRef: b.Ref, Qty: &found})
	}
	b.Lost += qty
	x.settle(b, sku)
}

// settle tells stock what is lost, if it does not know, or picks what waited until it knew.
func (x *decider) settle(b *Batch, sku string) {
	x.tell(b, sku)
	for i := range x.Lines {
		if x.Lines[i].Batch == b.Ref {
			x.pick(&x.Lines[i], sku)
		}
	}
}

// tell tells stock what is left, if it knows something else and can be told now.
func (x *decider) tell(b *Batch, sku string) {
	if b.settled() || b.Telling || b.Picked > 0 {
		return
	}
	b.tell()
	left := max(0, b.Shelf()) // somebody else's quantities may have more leave than there was
	for range 2 {             // see the package's comment
		b.Revision++
		revision := b.Revision
		x.output(Stock, ChangeBatchQuantity, Data{SKU: sku, BatchRef: b.Ref, Qty: &left, Revision: &revision})
	}
}

// pick picks a line that was announced ready where it is now, if its goods are there, and has it
// sent.
func (x *decider) pick(l *Line, sku string) {
	b := x.Batch(l.Batch)
	if b == nil || l.Picked || l.Ready == 0 || l.Ready != l.Fact || !b.Arrived || !b.settled() || b.Shelf() < l.Qty {
		return
	}
	l.Picked = true
	b.Picked += l.Qty
	qty := l.Qty
	x.output(All, "LinePicked", Data{SKU: sku, OrderID: l.Order, LineID: l.ID, BatchRef: b.Ref, Qty: &qty})
	x.dispatch(l, sku)
}

// dispatch has stock close a line that is sent. A second one has no effect there.
func (x *decider) dispatch(l *Line, sku string) {
	x.output(Stock, Dispatch, Data{SKU: sku, OrderID: l.Order, LineID: l.ID})
}

// putBack puts a line that was picked back on the shelf: it leaves by another batch, or not at all.
func (x *decider) putBack(l *Line, sku string) {
	if !l.Picked {
		return
	}
	b, qty := x.Batch(l.Batch), l.Qty
	l.Picked = false
	b.Picked -= qty
	x.output(All, "LinePutBack", Data{SKU: sku, OrderID: l.Order, LineID: l.ID, BatchRef: b.Ref, Qty: &qty})
}
