package checker

import (
	"cmp"
	"slices"
)

// product is a product as the specification describes it.
type product struct {
	sku     string
	version int64
	batches map[string]*batch
	ranked  []*batch // in order of preference
	lines   map[lineKey]*line
	waiting []*line // in placed order
}

type lineKey struct{ order, id string }

type batch struct {
	ref, eta, firstETA      string
	qty, firstQty, revision int64
	lastChange              string
	on                      []*line // in placed order
	taken                   int64   // their quantities, added up
}

type line struct {
	order, id   string
	qty, placed int64
	state       string
	on          *batch
}

// The states of a line, as the table has them.
const (
	waiting    = "waiting"
	allocated  = "allocated"
	cancelled  = "cancelled"
	dispatched = "dispatched"
)

func newProduct(sku string) *product {
	return &product{sku: sku, batches: map[string]*batch{}, lines: map[lineKey]*line{}}
}

func (p *product) line(order, id string) *line { return p.lines[lineKey{order, id}] }

// rank puts the batches in order: in the warehouse first, then by date, ties by reference.
func (p *product) rank() {
	slices.SortFunc(p.ranked, func(a, b *batch) int { return cmp.Or(cmp.Compare(a.eta, b.eta), cmp.Compare(a.ref, b.ref)) })
}

func byPlaced(a, b *line) int { return cmp.Compare(a.placed, b.placed) }

func insert(lines []*line, l *line) []*line {
	i, _ := slices.BinarySearchFunc(lines, l, byPlaced)
	return slices.Insert(lines, i, l)
}

func remove(lines []*line, l *line) []*line {
	if i, ok := slices.BinarySearchFunc(lines, l, byPlaced); ok {
		return slices.Delete(lines, i, i+1)
	}
	return lines
}

// take puts a waiting line on a batch.
func (b *batch) take(l *line) {
	l.state, l.on = allocated, b
	b.on, b.taken = insert(b.on, l), b.taken+l.qty
}

// drop takes a line off its batch.
func (b *batch) drop(l *line) { b.on, b.taken = remove(b.on, l), b.taken-l.qty }
