package product

// Deallocate cancels a line. Cancelled before, it has no effect. Refused with unknown_line,
// line_dispatched.
type Deallocate struct{ Line LineID }

var deallocate = CommandType{
	Name:   "Deallocate",
	Fields: []Field{fieldOrderID, fieldSKU, fieldLineID},
	decode: func(f *fields) Command { return Deallocate{Line: f.line()} },
}

// Name is "Deallocate".
func (Deallocate) Name() string { return deallocate.Name }

// Keys are its product and its line.
func (cmd Deallocate) Keys() Keys { return Keys{SKU: cmd.Line.SKU, Line: cmd.Line} }

func (cmd Deallocate) expect(n *Need) {
	n.product(cmd.Line.SKU)
	n.line(cmd.Line)
}

func (cmd Deallocate) apply(c *Catalog, _ string) Result {
	p, l, need := c.findLine(cmd.Line)
	switch {
	case need != nil:
		return Result{Need: need}
	case l == nil:
		return c.refused(cmd.Line.SKU, unknownLine(cmd.Line))
	case l.State == Dispatched:
		return c.refused(cmd.Line.SKU, refuse(ReasonLineDispatched,
			"%s was dispatched; only an open line can be cancelled", describe(cmd.Line)))
	case l.State == Waiting:
		return Result{Product: p, Events: p.cancelWaiting(l)}
	case l.State == Allocated:
		return c.cancelAllocated(p, l)
	}
	return Result{Product: p}
}

func (p *Product) cancelWaiting(l *line) []Event {
	p.Waiting--
	p.waiting.known--
	return p.cancel(l, "")
}

// cancelAllocated cancels a line on a batch, whose stock then serves others.
func (c *Catalog) cancelAllocated(p *Product, l *line) Result {
	b, need := c.findBatchOf(l)
	if need != nil {
		return Result{Need: need}
	}
	moves, need := p.serve(b, b.Available()+l.Qty, nil)
	if need != nil {
		return Result{Need: need}
	}
	p.remove(l, b)
	return Result{Product: p, Events: p.carryOut(p.cancel(l, b.Ref), b, moves)}
}

// cancel closes a line that was on the batch from, or waited if that is "".
func (p *Product) cancel(l *line, from string) []Event {
	l.State = Cancelled
	p.lineChanged(l, updated)
	e := ofLine(LineDeallocated, l, from)
	e.Reason = DeallocatedCancelled
	return p.emit(nil, e)
}
