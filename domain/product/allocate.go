package product

// Allocate places an order line, on a batch or in the queue. Placed before with the same quantity,
// and not cancelled, it has no effect. Refused with unknown_sku, line_conflict, line_cancelled.
type Allocate struct {
	Line LineID
	Qty  int64
}

var allocate = CommandType{
	Name:   "Allocate",
	Fields: []Field{fieldOrderID, fieldSKU, fieldQty, fieldLineID},
	decode: func(f *fields) Command {
		return Allocate{
			Line: f.line(),
			Qty:  f.Integer("qty", f.qty, 1, MaxQuantity),
		}
	},
}

// Name is "Allocate".
func (Allocate) Name() string { return allocate.Name }

// Keys are its product and the line that it places.
func (cmd Allocate) Keys() Keys { return Keys{SKU: cmd.Line.SKU, Line: cmd.Line, Places: true} }

func (cmd Allocate) expect(n *Need) {
	n.open(cmd.Line.SKU, firstOpen)
	n.line(cmd.Line)
}

func (cmd Allocate) apply(c *Catalog, _ string) Result {
	p, l, need := c.findLine(cmd.Line)
	if need != nil {
		return Result{Need: cmd.foresee(need)}
	}
	if refusal := cmd.refusal(p, l); refusal != nil {
		return cmd.reject(c, refusal)
	}
	if l != nil {
		return Result{Product: p}
	}
	b, ok := p.open.first(cmd.Qty)
	if !ok {
		return Result{Need: needOpen(p, cmd.Qty)}
	}
	return Result{Product: p, Events: cmd.place(c, p, b)}
}

// foresee adds the open batches to the need for the product.
func (cmd Allocate) foresee(need *Need) *Need {
	for _, p := range need.Products {
		p.Open = firstOpen
	}
	return need
}

func (cmd Allocate) refusal(p *Product, l *line) *Refusal {
	switch {
	case p.knowledge == absent:
		return refuse(ReasonUnknownSKU, "the sku %s has no batch yet; CreateBatch makes it known", quote(cmd.Line.SKU))
	case l == nil:
		return nil
	case l.Qty != cmd.Qty:
		return refuse(ReasonLineConflict, "%s exists with the qty %d, not %d; another quantity needs another lineid",
			describe(cmd.Line), l.Qty, cmd.Qty)
	case l.State == Cancelled:
		return refuse(ReasonLineCancelled, "%s was cancelled; placing it again needs another lineid", describe(cmd.Line))
	}
	return nil
}

// reject is the result of a refused Allocate. Its event has no sequence, as no state changed.
func (cmd Allocate) reject(c *Catalog, refusal *Refusal) Result {
	result := c.refused(cmd.Line.SKU, refusal)
	result.Events = []Event{{
		Type: AllocationRejected, SKU: cmd.Line.SKU, Line: cmd.Line, Qty: cmd.Qty, Reason: string(refusal.Reason),
	}}
	return result
}

// place places a new line on b, or makes it wait if b is nil.
func (cmd Allocate) place(c *Catalog, p *Product, b *batch) []Event {
	l := &line{Line: Line{ID: cmd.Line, Qty: cmd.Qty, Placed: p.Version + 1}}
	c.lines[cmd.Line] = l
	p.lineChanged(l, created)
	note := p.whyThere(b, 0)
	e := p.place(l, b)
	e.Note = note
	return p.emit(nil, e)
}
