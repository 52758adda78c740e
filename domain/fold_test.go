package domain_test

import (
	"fmt"

	"allocation/domain"
)

// fold rebuilds the tables from the events alone, and from the ids of the commands that caused
// them.
type fold struct {
	versions map[string]int64
	batches  map[string]domain.Batch
	lines    map[domain.LineID]domain.Line
}

func newFold() *fold {
	return &fold{
		versions: map[string]int64{},
		batches:  map[string]domain.Batch{},
		lines:    map[domain.LineID]domain.Line{},
	}
}

func (f *fold) add(e domain.Event, commandID string) error {
	if e.Type == domain.AllocationRejected {
		if e.Sequence != 0 {
			return fmt.Errorf("%v has a sequence", e)
		}
		return nil
	}
	if e.Sequence != f.versions[e.SKU]+1 {
		return fmt.Errorf("%v follows version %d", e, f.versions[e.SKU])
	}
	f.versions[e.SKU] = e.Sequence
	if e.Line == (domain.LineID{}) {
		f.addToBatch(e, commandID)
		return nil
	}
	return f.addToLine(e)
}

func (f *fold) addToBatch(e domain.Event, commandID string) {
	b := f.batches[e.BatchRef]
	switch e.Type {
	case domain.BatchCreated:
		b = domain.Batch{
			Ref: e.BatchRef, SKU: e.SKU, Qty: e.Qty, ETA: e.ETA, FirstQty: e.Qty, FirstETA: e.ETA,
			Revision: domain.NoRevision,
		}
	case domain.BatchQuantityChanged:
		b.Qty, b.LastChange = e.Qty, commandID
		if e.Revision != domain.NoRevision {
			b.Revision = e.Revision
		}
	case domain.BatchEtaChanged:
		b.ETA = e.ETA
	}
	f.batches[e.BatchRef] = b
}

func (f *fold) addToLine(e domain.Event) error {
	l, ok := f.lines[e.Line]
	if !ok {
		l = domain.Line{ID: e.Line, Qty: e.Qty, Placed: e.Sequence}
	}
	if l.Qty != e.Qty {
		return fmt.Errorf("%v is about a line of qty %d", e, l.Qty)
	}
	b := f.batches[e.BatchRef]
	switch e.Type {
	case domain.LineAllocated:
		if l.BatchRef != "" {
			return fmt.Errorf("%v puts a line on a second batch", e)
		}
		l.State, l.BatchRef = domain.Allocated, e.BatchRef
		b.Allocated += e.Qty
	case domain.LineDeallocated:
		if l.BatchRef != e.BatchRef {
			return fmt.Errorf("%v takes a line from another batch than its own", e)
		}
		l.State, l.BatchRef = domain.Cancelled, ""
		if e.Reason == domain.DeallocatedBatchReduced {
			l.State = domain.Waiting
		}
		b.Allocated -= e.Qty
	case domain.LineOutOfStock:
		l.State = domain.Waiting
	case domain.LineDispatched:
		l.State = domain.Dispatched
		b.Qty -= e.Qty
		b.Allocated -= e.Qty
	}
	f.lines[e.Line] = l
	if e.BatchRef != "" {
		f.batches[e.BatchRef] = b
	}
	return nil
}
