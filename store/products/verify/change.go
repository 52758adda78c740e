package verify

import (
	"fmt"

	"allocation/domain/product"
	"allocation/store/verify"
)

// changeBatch folds an event into its batch.
func (f *fold) changeBatch(e *verify.Event, d product.EventData, ref string) {
	b := f.batches.Get(ref)
	switch {
	case e.Type == "BatchCreated" && b != nil:
		f.pass.Contradicts(e, "a batch that is new", ref+" is not")
	case e.Type == "BatchCreated":
		f.batches.Put(e.Key, ref, batch{sku: e.Key, qty: d.Qty, firstQty: d.Qty, eta: d.ETA, firstETA: d.ETA, revision: -1})
	case b == nil:
		f.pass.Contradicts(e, "a batch that was created before", ref+" was not")
	case e.Type == "BatchQuantityChanged":
		b.qty = d.Qty
		if d.Revision != nil {
			b.revision = *d.Revision
		}
	case e.Type == "BatchEtaChanged":
		b.eta = d.ETA
	case e.Type == "Dispatched":
		b.qty -= d.Qty
	}
}

// changeLine folds an event into its line, and wants it to be possible: no line is on two batches,
// none leaves a batch that it is not on.
func (f *fold) changeLine(e *verify.Event, d product.EventData, key lineKey) {
	if f.lines.Get(key) == nil {
		f.lines.Put(e.Key, key, line{qty: d.Qty, placed: e.Sequence})
	}
	l := f.lines.Get(key)
	if l == nil {
		return // left to another pass
	}
	next := lineOf(e.Type, d)
	next.placed = l.placed
	if expected := l.mayBecome(e.Type, d); expected != "" {
		f.pass.Contradicts(e, expected, e.Type+" "+string(e.Data))
	}
	*l = next
}

// mayBecome says what was expected instead of an event; empty where the event is possible.
func (l *line) mayBecome(eventType string, d product.EventData) string {
	now := "a line that is " + l.String()
	switch {
	case l.state == "" && (eventType == "Deallocated" || eventType == "Dispatched"):
		return "a line that was placed"
	case l.state != "" && l.qty != d.Qty:
		return fmt.Sprintf("a line of qty %d", l.qty)
	case l.state == cancelled || l.state == dispatched:
		return now
	case eventType == "Allocated" && l.state == allocated:
		return now
	case (eventType == "Deallocated" || eventType == "Dispatched") && l.batch != d.BatchRef:
		return now
	}
	return ""
}
