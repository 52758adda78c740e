package checker

// bySKU are the rows of each product.
func (t *Tables) bySKU() map[string]*Tables {
	all := map[string]*Tables{}
	of := func(sku string) *Tables {
		if all[sku] == nil {
			all[sku] = &Tables{}
		}
		return all[sku]
	}
	for _, row := range t.Products {
		of(row.SKU).Products = append(of(row.SKU).Products, row)
	}
	for _, row := range t.Batches {
		of(row.SKU).Batches = append(of(row.SKU).Batches, row)
	}
	for _, row := range t.Lines {
		of(row.SKU).Lines = append(of(row.SKU).Lines, row)
	}
	return all
}

// rows are what the tables must have of the product. The model has made every event of it, so
// events add up to the same.
func (p *product) rows() (t Tables) {
	if p.version == 0 {
		return t
	}
	t.Products = []ProductRow{{p.sku, p.version, int64(len(p.waiting))}}
	for _, b := range p.ranked {
		t.Batches = append(t.Batches, BatchRow{b.ref, p.sku, b.qty, b.taken, b.eta, b.firstQty, b.firstETA, b.revision, b.lastChange})
	}
	for _, l := range p.lines {
		row := LineRow{OrderID: l.order, SKU: p.sku, LineID: l.id, Qty: l.qty, Placed: l.placed, State: l.state}
		if l.on != nil {
			row.BatchRef = l.on.ref
		}
		t.Lines = append(t.Lines, row)
	}
	return t
}

// checkTables compares a product, after all its commands, with its rows.
func (c *check) checkTables(p *product, has *Tables) {
	if has == nil {
		has = &Tables{}
	}
	want := p.rows()
	compare(c, p.sku, "product", want.Products, has.Products)
	compare(c, p.sku, "batch", want.Batches, has.Batches)
	compare(c, p.sku, "line", want.Lines, has.Lines)
}

// compare reports rows that only one side has.
func compare[T comparable](c *check, sku, what string, events, table []T) {
	has := make(map[T]bool, len(table))
	for _, row := range table {
		has[row] = true
	}
	stretch := c.stretch(c.skus.number(sku), 1<<62)
	for _, row := range events {
		if !has[row] {
			c.report(RuleFold, sku, stretch, "the events add up to the %s %+v, which the table does not have", what, row)
		}
		delete(has, row)
	}
	for row := range has {
		c.report(RuleFold, sku, stretch, "the table has the %s %+v, which the events do not add up to", what, row)
	}
}
