package verify

import (
	"fmt"

	"allocation/domain/product"
)

// The states of a line, as the table has them.
const (
	waiting    = "waiting"
	allocated  = "allocated"
	cancelled  = "cancelled"
	dispatched = "dispatched"
)

func decode(eventType string, value []byte) (product.EventData, error) {
	d, err := product.ReadEventData(value)
	if err != nil {
		return d, fmt.Errorf("the data of an event %s cannot be read: %w", eventType, err)
	}
	return d, nil
}

// line is what the events of a line add up to, and what its row says.
type line struct {
	qty, placed int64
	state       string
	batch       string
}

func (l line) String() string {
	text := fmt.Sprintf("%s, qty %d", l.state, l.qty)
	if l.batch != "" {
		text = fmt.Sprintf("%s on %s, qty %d", l.state, l.batch, l.qty)
	}
	if l.placed > 0 {
		text += fmt.Sprintf(", placed %d", l.placed)
	}
	return text
}

// lineOf is a line as its last event tells, but for when it was placed.
func lineOf(eventType string, d product.EventData) line {
	l := line{qty: d.Qty, batch: d.BatchRef}
	switch {
	case eventType == "Allocated":
		l.state = allocated
	case eventType == "Dispatched":
		l.state = dispatched
	case eventType == "Deallocated" && d.Reason == "cancelled":
		l.state, l.batch = cancelled, ""
	default: // OutOfStock; Deallocated because its batch was reduced
		l.state, l.batch = waiting, ""
	}
	return l
}

// batch is what the events of a batch add up to, and what its row says.
type batch struct {
	sku           string
	qty, firstQty int64
	eta, firstETA string
	revision      int64 // -1: none
}

func (b batch) String() string {
	text := fmt.Sprintf("qty %d of %s, %s; created with qty %d, %s", b.qty, b.sku, due(b.eta), b.firstQty, due(b.firstETA))
	if b.revision >= 0 {
		text += fmt.Sprintf("; revision %d", b.revision)
	}
	return text
}

func due(eta string) string {
	if eta == "" {
		return "in the warehouse"
	}
	return "due " + eta
}
