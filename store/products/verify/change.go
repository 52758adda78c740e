package verify

import (
	"fmt"

	"allocation/domain"
)

// changeBatch folds an event into its batch.
func (f *fold) changeBatch(e *Event, d domain.EventData, ref string) error {
	b := f.batches[ref]
	if e.Type == "BatchCreated" {
		if b != nil {
			return f.contradicts(e, "a batch that is new", ref+" is not")
		}
		f.batches[ref] = &batch{sku: e.SKU, qty: d.Qty, firstQty: d.Qty, eta: d.ETA, firstETA: d.ETA, revision: -1}
		return f.took(len(ref) + len(e.SKU))
	}
	if b == nil {
		return f.contradicts(e, "a batch that was created before", ref+" was not")
	}
	switch e.Type {
	case "BatchQuantityChanged":
		b.qty = d.Qty
		if d.Revision != nil {
			b.revision = *d.Revision
		}
	case "BatchEtaChanged":
		b.eta = d.ETA
	case "Dispatched":
		b.qty -= d.Qty
	}
	return nil
}

// changeLine folds an event into its line, and wants it to be possible: no line is on two batches,
// none leaves a batch that it is not on.
func (f *fold) changeLine(e *Event, d domain.EventData, key lineKey) error {
	l := f.lines[key]
	if l == nil {
		l = &line{qty: d.Qty, placed: e.Sequence}
		f.lines[key] = l
		if err := f.took(key.size()); err != nil {
			return err
		}
	}
	next := lineOf(e.Type, d)
	next.placed = l.placed
	if expected := l.mayBecome(e.Type, d); expected != "" {
		if err := f.contradicts(e, expected, e.Type+" "+string(e.Data)); err != nil {
			return err
		}
	}
	*l = next
	return nil
}

// mayBecome says what was expected instead of an event; empty where the event is possible.
func (l *line) mayBecome(eventType string, d domain.EventData) string {
	now := "a line that is " + l.words()
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
