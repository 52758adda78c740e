package product

import (
	"cmp"
	"math"
	"slices"
)

// NoRevision stands for the absence of a revision.
const NoRevision int64 = -1

// Batch is a quantity of one SKU, in the warehouse or on its way.
type Batch struct {
	Ref, SKU string
	// Qty is what is on hand or due, Allocated the part of it that lines have: Allocated <= Qty.
	Qty, Allocated int64
	// ETA is when the goods are due, "" once they are in the warehouse.
	ETA Date
	// FirstQty and FirstETA are what the batch was created with.
	FirstQty int64
	FirstETA Date
	// Revision is the last one seen of its quantity, or NoRevision.
	Revision int64
	// LastChange is the id of the last command that changed its quantity or revision, "" where
	// there is none.
	LastChange string
}

// Available is what lines may still take.
func (b *Batch) Available() int64 {
	return b.Qty - b.Allocated
}

// ComparePreference orders batches as they are taken: in the warehouse first, then the earliest
// eta, ties by the bytes of the reference. Batches are loaded in the same order, by the index
// batches_by_preference.
func ComparePreference(a, b *Batch) int {
	return cmp.Or(cmp.Compare(a.ETA, b.ETA), cmp.Compare(a.Ref, b.Ref))
}

// batch is what the catalog knows of a reference.
//
// Its lines are the known ones allocated to it, and may still hold some that were cancelled or
// dispatched since. Every other line on it was placed before knownFrom.
type batch struct {
	Batch
	knowledge knowledge
	fate      fate
	mentioned bool // in this transaction
	lines     heap[*line]
	linesQty  int64
	knownFrom int64
}

// knowledge is whether something was loaded, and found.
type knowledge int

const (
	unknown knowledge = iota
	absent
	present
)

func newBatch(ref string) *batch {
	return &batch{Batch: Batch{Ref: ref}, lines: newHeap(placedLast), knownFrom: math.MaxInt64}
}

// attach counts a line that is known to be allocated to the batch.
func (b *batch) attach(l *line) {
	b.lines.push(l)
	b.linesQty += l.Qty
}

// unknownQty is the quantity of the lines on the batch that are not known.
func (b *batch) unknownQty() int64 {
	return b.Allocated - b.linesQty
}

// release takes the last placed lines off the list of lines until their quantity is at least
// deficit, and returns them in placed order. Where the next one is not known it puts them back, and
// ok is false; missing is then the quantity that they fall short. Lines placed after loaded, the
// version that was loaded, are all known.
func (b *batch) release(deficit, loaded int64) (released []*line, missing int64, ok bool) {
	knownFrom := min(b.knownFrom, loaded+1)
	for deficit > 0 {
		last := b.last()
		if last == nil || last.Placed < knownFrom && b.unknownQty() > 0 {
			b.lines.push(released...)
			return nil, deficit, false
		}
		released = append(released, b.lines.pop())
		deficit -= last.Qty
	}
	slices.Reverse(released)
	return released, 0, true
}

// last is the last placed of the known lines on the batch, or nil.
func (b *batch) last() *line {
	for b.lines.Len() > 0 {
		if l := b.lines.top(); l.State == Allocated {
			return l
		}
		b.lines.pop()
	}
	return nil
}
