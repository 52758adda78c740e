package product

import "allocation/domain/strictjson"

// findBatch finds the batch that a command names and knows its product, or says why not, or what is
// needed to tell. The batch is never nil.
func (c *Catalog) findBatch(ref, sku string) (*batch, *Refusal, *Need) {
	b := c.batch(ref)
	switch {
	case b.knowledge == unknown:
		need := NewNeed()
		need.batch(ref, NoShrink)
		if sku != "" && c.Product(sku) == nil {
			need.product(sku)
		}
		return b, nil, need
	case b.knowledge == absent:
		return b, refuse(ReasonUnknownBatch, "no batch has the batchref %s", quote(ref)), nil
	case sku != "" && sku != b.SKU:
		return b, refuse(ReasonSKUMismatch, "the batch %s is of the sku %s, not %s",
			quote(ref), quote(b.SKU), quote(sku)), nil
	case c.Product(b.SKU) == nil:
		need := NewNeed()
		need.product(b.SKU)
		return b, nil, need
	}
	return b, nil, nil
}

// findLine finds the product and the line of id, or says what is needed to tell. The line is nil if
// there is none, and the product's knowledge is never unknown.
func (c *Catalog) findLine(id LineID) (*Product, *line, *Need) {
	p := c.product(id.SKU)
	l, ok := c.lines[id]
	if p.knowledge == absent || p.knowledge == present && ok {
		return p, l, nil
	}
	need := NewNeed()
	if p.knowledge == unknown {
		need.product(id.SKU)
	}
	if !ok {
		need.line(id)
	}
	return nil, nil, need
}

// findBatchOf finds the batch that a line is on.
func (c *Catalog) findBatchOf(l *line) (*batch, *Need) {
	b := c.batch(l.BatchRef)
	if b.knowledge != present {
		need := NewNeed()
		need.batch(l.BatchRef, NoShrink)
		return nil, need
	}
	return b, nil
}

func unknownLine(id LineID) *Refusal {
	return refuse(ReasonUnknownLine, "%s was never placed", describe(id))
}

// describe names a line in a sentence.
func describe(id LineID) string {
	text := "the line of order " + quote(id.OrderID) + " for the sku " + quote(id.SKU)
	if id.LineID != "" {
		text += " with the lineid " + quote(id.LineID)
	}
	return text
}

func quote(text string) string {
	return `"` + strictjson.Shorten(text) + `"`
}
