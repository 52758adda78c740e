package checker

import (
	"encoding/json"
	"slices"
)

// folded is what the events of a product add up to.
type folded struct {
	version int64
	batches map[string]*BatchRow
	lines   map[LineRow]*LineRow // by order, SKU and line alone
}

// data is the data of any event.
type data struct {
	Ref, BatchRef, SKU, OrderID, LineID, ETA, Reason string
	Qty                                              int64
	Revision                                         *int64
}

// checkFold adds the events of each product up, and compares with the tables.
func (c *check) checkFold() {
	state := map[string]*folded{}
	for sku, events := range c.bySKU {
		f := &folded{batches: map[string]*BatchRow{}, lines: map[LineRow]*LineRow{}}
		for _, e := range events {
			f.add(e)
		}
		state[sku] = f
	}
	tables := c.history.Tables
	c.foldProducts(state, tables)
	var batches []BatchRow
	var lines []LineRow
	for _, f := range state {
		for _, b := range f.batches {
			for _, l := range f.lines {
				if l.State == allocated && l.BatchRef == b.Ref {
					b.Allocated += l.Qty
				}
			}
			batches = append(batches, *b)
		}
		for _, l := range f.lines {
			lines = append(lines, *l)
		}
	}
	had := slices.Clone(tables.Batches)
	for i := range had {
		had[i].LastChange = "" // no event tells it: see checkFinal
	}
	compare(c, "batch", batches, had, func(b BatchRow) string { return b.SKU })
	compare(c, "line", lines, tables.Lines, func(l LineRow) string { return l.SKU })
}

func (c *check) foldProducts(state map[string]*folded, tables Tables) {
	var products []ProductRow
	for sku, f := range state {
		p := ProductRow{SKU: sku, Version: f.version}
		for _, l := range f.lines {
			if l.State == waiting {
				p.Waiting++
			}
		}
		products = append(products, p)
	}
	compare(c, "product", products, tables.Products, func(p ProductRow) string { return p.SKU })
}

// compare reports rows that only one side has.
func compare[T comparable](c *check, what string, events, table []T, sku func(T) string) {
	has := map[T]bool{}
	for _, row := range table {
		has[row] = true
	}
	for _, row := range events {
		if !has[row] {
			c.report(RuleFold, sku(row), nil, "the events add up to the %s %+v, which the table does not have", what, row)
		}
		delete(has, row)
	}
	for row := range has {
		c.report(RuleFold, sku(row), nil, "the table has the %s %+v, which the events do not add up to", what, row)
	}
}

// add folds one event. What makes no sense is left out, and shows in the comparison.
func (f *folded) add(e *event) {
	var d data
	if json.Unmarshal(e.record.Value, &d) != nil {
		return
	}
	f.version = e.sequence
	if e.kind == "BatchCreated" {
		f.batches[d.Ref] = &BatchRow{Ref: d.Ref, SKU: d.SKU, Qty: d.Qty, ETA: d.ETA, FirstQty: d.Qty, FirstETA: d.ETA, Revision: -1}
		return
	}
	if b := f.batches[d.BatchRef]; b != nil {
		b.add(e.kind, d)
	}
	if d.OrderID != "" {
		f.addLine(e, d)
	}
}

func (b *BatchRow) add(kind string, d data) {
	switch kind {
	case "BatchQuantityChanged":
		b.Qty = d.Qty
		if d.Revision != nil {
			b.Revision = *d.Revision
		}
	case "BatchEtaChanged":
		b.ETA = d.ETA
	case "Dispatched":
		b.Qty -= d.Qty
	}
}

func (f *folded) addLine(e *event, d data) {
	id := LineRow{OrderID: d.OrderID, SKU: d.SKU, LineID: d.LineID}
	l := f.lines[id]
	if l == nil {
		l = &LineRow{OrderID: d.OrderID, SKU: d.SKU, LineID: d.LineID, Qty: d.Qty, Placed: e.sequence}
		f.lines[id] = l
	}
	l.BatchRef = d.BatchRef
	switch e.kind {
	case "Allocated":
		l.State = allocated
	case "Dispatched":
		l.State = dispatched
	case "OutOfStock":
		l.State = waiting
	case "Deallocated":
		l.State, l.BatchRef = waiting, ""
		if d.Reason == "cancelled" {
			l.State = cancelled
		}
	}
}
