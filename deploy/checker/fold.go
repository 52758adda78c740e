package checker

import (
	"slices"
	"strings"
)

// folded is what the events of a product add up to.
type folded struct {
	version int64
	batches map[string]*BatchRow
	lines   map[lineKey]*LineRow
}

// tables are the rows of one product.
type tables struct {
	products []ProductRow
	batches  []BatchRow
	lines    []LineRow
}

// checkFold adds the events of each product up, and compares with its tables.
func (c *check) checkFold() {
	had, t := map[string]*tables{}, c.history.Tables
	of := func(sku string) *tables {
		if had[sku] == nil {
			had[sku] = &tables{}
		}
		return had[sku]
	}
	for _, row := range t.Products {
		of(row.SKU).products = append(of(row.SKU).products, row)
	}
	for _, row := range t.Batches {
		row.LastChange = "" // no event tells it: see checkLastChanges
		of(row.SKU).batches = append(of(row.SKU).batches, row)
	}
	lines := slices.Clone(t.Lines)
	slices.SortFunc(lines, func(a, b LineRow) int { return strings.Compare(a.SKU, b.SKU) })
	for from, to := 0, 0; from < len(lines); from = to {
		for to = from; to < len(lines) && lines[to].SKU == lines[from].SKU; {
			to++
		}
		of(lines[from].SKU).lines = lines[from:to]
	}
	for p := range c.traits {
		if events := c.sequenced.of(int32(p)); len(events) > 0 {
			c.compareProduct(int32(p), c.fold(events), of(c.skus.texts[p]))
		} else if rows := had[c.skus.texts[p]]; rows != nil {
			c.compareProduct(int32(p), tables{}, rows)
		}
		delete(had, c.skus.texts[p])
	}
	for sku := range had {
		c.report(RuleFold, sku, nil, "the tables have rows of it, of which there is no event")
	}
}

// fold adds events up to rows.
func (c *check) fold(events []int32) (t tables) {
	f := &folded{batches: map[string]*BatchRow{}, lines: map[lineKey]*LineRow{}}
	for _, n := range events {
		r := c.recordOf(&c.events[n])
		if d, ok := readData(r.Value); ok { // what makes no sense is left out, and shows in the comparison
			f.add(c.kinds.texts[c.events[n].kind], c.events[n].sequence, d)
		}
	}
	p := ProductRow{SKU: c.skus.texts[c.events[events[0]].product], Version: f.version}
	for _, l := range f.lines {
		switch b := f.batches[l.BatchRef]; {
		case l.State == waiting:
			p.Waiting++
		case l.State == allocated && b != nil:
			b.Allocated += l.Qty
		}
		t.lines = append(t.lines, *l)
	}
	for _, b := range f.batches {
		t.batches = append(t.batches, *b)
	}
	t.products = append(t.products, p)
	return t
}

func (c *check) compareProduct(p int32, events tables, has *tables) {
	compare(c, p, "product", events.products, has.products)
	compare(c, p, "batch", events.batches, has.batches)
	compare(c, p, "line", events.lines, has.lines)
}

// compare reports rows that only one side has.
func compare[T comparable](c *check, p int32, what string, events, table []T) {
	has := make(map[T]bool, len(table))
	for _, row := range table {
		has[row] = true
	}
	stretch := c.stretch(p, 1<<62)
	for _, row := range events {
		if !has[row] {
			c.report(RuleFold, c.sku(p), stretch, "the events add up to the %s %+v, which the table does not have", what, row)
		}
		delete(has, row)
	}
	for row := range has {
		c.report(RuleFold, c.sku(p), stretch, "the table has the %s %+v, which the events do not add up to", what, row)
	}
}

func (f *folded) add(kind string, sequence int64, d data) {
	f.version = sequence
	if kind == "BatchCreated" {
		f.batches[d.ref] = &BatchRow{Ref: d.ref, SKU: d.sku, Qty: d.qty, ETA: d.eta, FirstQty: d.qty, FirstETA: d.eta, Revision: -1}
		return
	}
	if b := f.batches[d.batchRef]; b != nil {
		b.add(kind, d)
	}
	if d.orderID != "" {
		f.addLine(kind, sequence, d)
	}
}

func (b *BatchRow) add(kind string, d data) {
	switch kind {
	case "BatchQuantityChanged":
		b.Qty = d.qty
		b.Revision = max(b.Revision, d.revision)
	case "BatchEtaChanged":
		b.ETA = d.eta
	case "Dispatched":
		b.Qty -= d.qty
	}
}

func (f *folded) addLine(kind string, sequence int64, d data) {
	id := lineKey{d.orderID, d.lineID}
	l := f.lines[id]
	if l == nil {
		l = &LineRow{OrderID: d.orderID, SKU: d.sku, LineID: d.lineID, Qty: d.qty, Placed: sequence}
		f.lines[id] = l
	}
	l.BatchRef = d.batchRef
	switch kind {
	case "Allocated":
		l.State = allocated
	case "Dispatched":
		l.State = dispatched
	case "OutOfStock":
		l.State = waiting
	case "Deallocated":
		l.State, l.BatchRef = waiting, ""
		if d.reason == "cancelled" {
			l.State = cancelled
		}
	}
}
