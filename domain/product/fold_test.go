package product_test

import (
	"fmt"

	"allocation/domain/product"
)

// fold rebuilds the tables from the events alone, and from the ids of the commands that caused
// them.
type fold struct{ tables }

func (f *fold) add(e product.Event, commandID string) error {
	if e.Type == product.AllocationRejected {
		if e.Sequence != 0 {
			return fmt.Errorf("%v has a sequence", e)
		}
		return nil
	}
	if e.Sequence != f.versions[e.SKU]+1 {
		return fmt.Errorf("%v follows version %d", e, f.versions[e.SKU])
	}
	f.versions[e.SKU] = e.Sequence
	if e.Line == (product.LineID{}) {
		f.addToBatch(e, commandID)
		return nil
	}
	return f.addToLine(e)
}

func (f *fold) addToBatch(e product.Event, commandID string) {
	b := f.batches[e.BatchRef]
	switch e.Type {
	case product.BatchCreated:
		b = product.Batch{
			Ref: e.BatchRef, SKU: e.SKU, Qty: e.Qty, ETA: e.ETA, FirstQty: e.Qty, FirstETA: e.ETA,
			Revision: product.NoRevision,
		}
	case product.BatchQuantityChanged:
		b.Qty, b.LastChange = e.Qty, commandID
		if e.Revision != product.NoRevision {
			b.Revision = e.Revision
		}
	case product.BatchEtaChanged:
		b.ETA = e.ETA
	}
	f.batches[e.BatchRef] = b
}

func (f *fold) addToLine(e product.Event) error {
	l, ok := f.lines[e.Line]
	if !ok {
		l = product.Line{ID: e.Line, Qty: e.Qty, Placed: e.Sequence}
	}
	if l.Qty != e.Qty {
		return fmt.Errorf("%v is about a line of qty %d", e, l.Qty)
	}
	b := f.batches[e.BatchRef]
	switch e.Type {
	case product.LineAllocated:
		if l.BatchRef != "" {
			return fmt.Errorf("%v puts a line on a second batch", e)
		}
		l.State, l.BatchRef = product.Allocated, e.BatchRef
		b.Allocated += e.Qty
	case product.LineDeallocated:
		if l.BatchRef != e.BatchRef {
			return fmt.Errorf("%v takes a line from another batch than its own", e)
		}
		l.State, l.BatchRef = product.Cancelled, ""
		if e.Reason == product.DeallocatedBatchReduced {
			l.State = product.Waiting
		}
		b.Allocated -= e.Qty
	case product.LineOutOfStock:
		l.State = product.Waiting
	case product.LineDispatched:
		l.State = product.Dispatched
		b.Qty -= e.Qty
		b.Allocated -= e.Qty
	}
	f.lines[e.Line] = l
	if e.BatchRef != "" {
		f.batches[e.BatchRef] = b
	}
	return nil
}
