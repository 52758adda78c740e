package product

import (
	"math"
	"slices"
)

// openBatches are the known batches of a product with available > 0, in order of preference.
//
// Unknown batches have not changed since they were told of. So none of them has more than rest
// available, and each that has what a window is about comes after the window's end. A known batch
// may be anywhere: it may be new, have another eta by now, or have been told by itself.
type openBatches struct {
	list    []*batch
	rest    int64 // 0: all open batches are known
	windows []window
}

// window is how far the database's batches with at least so much available were told.
type window struct {
	least int64
	last  *Batch // the last one told, as it was loaded
	next  int    // how many to ask for next
}

func newOpenBatches() openBatches { return openBatches{rest: math.MaxInt64} }

// all tells that every open batch was told.
func (o *openBatches) all() { o.rest, o.windows = 0, nil }

// learn widens a window up to last. Without a last one, no other batch has least available.
func (o *openBatches) learn(least int64, last *Batch) {
	if last == nil {
		o.rest = min(o.rest, least-1)
		o.windows = slices.DeleteFunc(o.windows, func(w window) bool { return w.least > o.rest })
		return
	}
	w := o.window(least)
	if w == nil {
		o.windows = append(o.windows, window{least: least, next: firstOpen})
		w = &o.windows[len(o.windows)-1]
	}
	w.next = min(w.next*widen, 1<<24)
	if w.last == nil || ComparePreference(last, w.last) > 0 {
		w.last = &Batch{Ref: last.Ref, ETA: last.ETA}
	}
}

func (o *openBatches) window(least int64) *window {
	for i := range o.windows {
		if o.windows[i].least == least {
			return &o.windows[i]
		}
	}
	return nil
}

// next is how many batches with at least so much available to ask for.
func (o *openBatches) next(least int64) int {
	if w := o.window(least); w != nil {
		return w.next
	}
	return firstOpen
}

// learned reports whether anything was told.
func (o *openBatches) learned() bool { return o.rest == 0 || len(o.windows) > 0 }

// covers reports whether no unknown batch that has qty can come before b.
func (o *openBatches) covers(b *batch, qty int64) bool {
	return qty > o.rest || slices.ContainsFunc(o.windows, func(w window) bool {
		return w.least <= qty && ComparePreference(&b.Batch, w.last) <= 0
	})
}

// first is the first batch that can take qty, nil if none can. ok reports whether that is certain.
func (o *openBatches) first(qty int64) (b *batch, ok bool) {
	for _, b := range o.list {
		if b.Available() >= qty {
			return b, o.covers(b, qty)
		}
	}
	return nil, qty > o.rest
}

// committed begins the next transaction: what was used up is not among the database's first any
// more. A few windows are enough.
func (o *openBatches) committed() {
	const fewWindows = 8
	o.windows = o.windows[:min(len(o.windows), fewWindows)]
	for i := range o.windows {
		o.windows[i].next = firstOpen
	}
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
