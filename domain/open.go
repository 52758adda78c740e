package domain

import "slices"

// openBatches are the known batches of a product with available > 0, in order of preference.
//
// The window is how far the database's were told. Batches that are not known did not change, so they are all beyond
// the window; a known one may be anywhere, as it may be new, have another eta by now, or have been told by itself.
type openBatches struct {
	list []*batch
	// complete: all are known.
	complete bool
	// last is the last one in the window, as it was loaded; nil before anything was told.
	last *Batch
	// next is how many to ask for next.
	next int
}

// learn widens the window up to last, or to the end if it is nil.
func (o *openBatches) learn(last *Batch) {
	o.next = min(o.next*widen, 1<<24)
	switch {
	case last == nil:
		o.complete = true
	case o.last == nil || ComparePreference(last, o.last) > 0:
		o.last = &Batch{Ref: last.Ref, ETA: last.ETA}
	}
}

// learned tells whether there is a window at all.
func (o *openBatches) learned() bool {
	return o.complete || o.last != nil
}

// covers tells whether no unknown open batch can come before b.
func (o *openBatches) covers(b *batch) bool {
	return o.complete || o.last != nil && ComparePreference(&b.Batch, o.last) <= 0
}

// first is the first batch that can take qty, nil if none can. ok tells whether that is certain.
func (o *openBatches) first(qty int64) (b *batch, ok bool) {
	for _, b := range o.list {
		if b.Available() >= qty {
			return b, o.covers(b)
		}
	}
	return nil, o.complete
}

func (o *openBatches) insert(b *batch) {
	at, _ := o.find(b)
	o.list = slices.Insert(o.list, at, b)
}

// find tells where b is, or would have to be.
func (o *openBatches) find(b *batch) (at int, ok bool) {
	return slices.BinarySearchFunc(o.list, b, func(x, y *batch) int { return ComparePreference(&x.Batch, &y.Batch) })
}

// change changes a batch, and keeps it in its place, or out of the list, by what it has then.
func (o *openBatches) change(b *batch, do func(b *Batch)) {
	eta, wasOpen := b.ETA, b.Available() > 0
	at, _ := o.find(b) // by what it was
	do(&b.Batch)
	if wasOpen == (b.Available() > 0) && b.ETA == eta {
		return
	}
	if wasOpen {
		o.list = slices.Delete(o.list, at, at+1)
	}
	if b.Available() > 0 {
		o.insert(b)
	}
}
