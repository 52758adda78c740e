package product

import "math"

// Committed tells the catalog that all of Products was written, and begins the next transaction.
// Products and batches stay known as they are now. That holds as long as the database has the
// product at this version, which each write checks. Lines are forgotten, because there is no end of
// them. Absent products and batches are forgotten, because any transaction may make them.
func (c *Catalog) Committed() {
	for _, p := range c.touched {
		p.committed()
		if p.knowledge != present {
			delete(c.products, p.SKU)
		}
	}
	for _, b := range c.mentioned {
		b.committed()
		if b.knowledge != present || c.products[b.SKU] == nil {
			delete(c.batches, b.Ref)
		}
	}
	clear(c.touched)
	clear(c.mentioned)
	c.touched, c.mentioned = c.touched[:0], c.mentioned[:0]
	c.transactions++
	clear(c.lines)
}

// Spare takes out of a need what is known already. Batches that will have to release lines stay in
// it.
func (c *Catalog) Spare(n *Need) {
	for sku, need := range n.Products {
		p := c.products[sku]
		if p != nil && p.knowledge == present && need.Reach == 0 && (need.Open == 0 || c.Offers(sku)) {
			delete(n.Products, sku)
		}
	}
	for ref, need := range n.Batches {
		b := c.batches[ref]
		if b != nil && b.knowledge == present && need.ShrinkTo >= b.Allocated {
			delete(n.Batches, ref)
		}
	}
}

// Offers reports whether a product and its open batches are known, so that a line of it can be
// placed at once.
func (c *Catalog) Offers(sku string) bool {
	p := c.products[sku]
	return p != nil && p.knowledge == present && p.open.learned()
}

func (p *Product) committed() {
	p.Loaded, p.touched = p.Version, false
	p.open.committed()
	for _, b := range p.changedBatches {
		b.fate = unchanged
		b.committed()
	}
	clear(p.changedBatches)
	clear(p.changedLines)
	p.changedBatches, p.changedLines = p.changedBatches[:0], p.changedLines[:0]
	p.waiting.forget()
}

// forget forgets all lines that wait.
func (w *waitingLines) forget() {
	if len(w.classes) > 0 || w.reach > 0 {
		*w = newWaitingLines()
	}
}

// committed forgets the lines on the batch.
func (b *batch) committed() {
	b.mentioned = false
	if b.lines.Len() > 0 || b.linesQty != 0 {
		clear(b.lines.items)
		b.lines.items, b.linesQty = b.lines.items[:0], 0
	}
	b.knownFrom = math.MaxInt64
}
