package verify

import (
	"fmt"
	"maps"

	"allocation/domain/product"
)

type lineKey struct{ sku, orderID, lineID string }

// productFold is how far the events of a product were folded.
type productFold struct {
	version   int64
	partition int32 // of the topic
	cut       bool  // its history does not begin with its first event, or is not all in one partition: it cannot be compared
	gapFrom   int64 // the first event that is missing in the middle; 0: none
	gapTo     int64
	seen      bool
}

// whole reports whether the product can be compared.
func (p *productFold) whole() bool { return p != nil && !p.cut && p.gapFrom == 0 }

// fold adds up the events of the products, batches and lines that lie in an interval, which it
// makes smaller when it gets too large.
type fold struct {
	interval
	v        *verifier
	products map[string]*productFold
	batches  map[string]*batch // by reference, which is unique over products
	lines    map[lineKey]*line
	memory   int64
	folded   int64 // events, for the progress
}

// cost of a product, a batch or a line, besides the bytes of its names: measured, and rounded up.
const cost = 320

func newFold(v *verifier, from point) *fold {
	return &fold{
		interval: interval{from: from, last: true}, v: v,
		products: map[string]*productFold{}, batches: map[string]*batch{}, lines: map[lineKey]*line{},
	}
}

// add folds an event. Those of a product come in order; from Kafka some may come twice.
func (f *fold) add(e Event) error {
	if f.folded++; f.folded%10000 == 0 {
		f.v.o.Progress(fmt.Sprintf("pass %d: events", f.v.summary.Passes), f.folded)
	}
	if !f.v.wants(e.SKU) || !f.touches(productPoint(e.SKU)) {
		return nil
	}
	p := f.products[e.SKU]
	if p == nil {
		p = &productFold{partition: e.Partition, version: e.Sequence - 1, cut: e.Sequence != 1}
		f.products[e.SKU] = p
		f.took(len(e.SKU))
	}
	if !f.next(p, &e) || !p.whole() {
		return f.v.failed
	}
	if d, err := decode(e.Type, e.Data); err != nil || d.SKU != e.SKU {
		f.contradicts(&e, "data of a "+e.Type+" of this product", string(e.Data))
	} else {
		f.change(&e, d)
	}
	return f.v.failed
}

// next reports whether an event is the next of its product.
func (f *fold) next(p *productFold, e *Event) bool {
	if e.Partition >= 0 && e.Partition != p.partition {
		p.cut = true // the topic got more partitions, which have no order between them
	}
	switch {
	case e.Sequence <= p.version && f.v.o.Topic != nil:
		return false // a repeat
	case e.Sequence <= p.version:
		f.v.report(CheckSequence, e.SKU, "outbox", fmt.Sprintf("sequence %d", e.Sequence), fmt.Sprintf("sequence %d next", p.version+1), "it is there again")
		return false
	case e.Sequence > p.version+1 && p.gapFrom == 0:
		p.gapFrom, p.gapTo = p.version+1, e.Sequence-1
	}
	p.version = e.Sequence
	return true
}

func (f *fold) change(e *Event, d product.EventData) {
	ref := d.BatchRef
	if e.Type == "BatchCreated" {
		ref = d.Ref
	}
	if ref != "" && f.holds(batchPoint(e.SKU, ref)) {
		f.changeBatch(e, d, ref)
	}
	if key := (lineKey{e.SKU, d.OrderID, d.LineID}); d.OrderID != "" && f.holds(linePoint(key)) {
		f.changeLine(e, d, key)
	}
}

func (f *fold) contradicts(e *Event, expected, found string) {
	f.v.report(CheckEvents, e.SKU, "outbox", fmt.Sprintf("sequence %d", e.Sequence), expected, found)
}

// took notes that something was added, and lets go of the upper half where that is too much.
func (f *fold) took(names int) {
	f.memory += cost + int64(names)
	for f.memory > f.v.o.Memory && f.v.failed == nil {
		before := f.memory
		f.halve()
		if f.memory == before {
			f.v.failed = fmt.Errorf("a fold of %d bytes is too small for the names of one product", f.v.o.Memory)
		}
	}
}

func (f *fold) halve() {
	points := make([]point, 0, len(f.products)+len(f.batches)+len(f.lines))
	for sku := range f.products {
		points = append(points, productPoint(sku))
	}
	for ref, b := range f.batches {
		points = append(points, batchPoint(b.sku, ref))
	}
	for k := range f.lines {
		points = append(points, linePoint(k))
	}
	f.to, f.last, f.memory = median(points), false, 0
	maps.DeleteFunc(f.products, func(sku string, _ *productFold) bool { return !f.keep(f.touches(productPoint(sku)), len(sku)) })
	maps.DeleteFunc(f.batches, func(ref string, b *batch) bool { return !f.keep(f.holds(batchPoint(b.sku, ref)), len(ref)+len(b.sku)) })
	maps.DeleteFunc(f.lines, func(k lineKey, _ *line) bool { return !f.keep(f.holds(linePoint(k)), k.size()) })
}

// keep counts what stays.
func (f *fold) keep(stays bool, names int) bool {
	if stays {
		f.memory += cost + int64(names)
	}
	return stays
}

func (k lineKey) size() int { return len(k.sku) + len(k.orderID) + len(k.lineID) }
