package product

// Dispatch closes a line whose goods left. Dispatched before, it has no effect. Refused with
// unknown_line, line_waiting, line_cancelled, batch_not_arrived.
type Dispatch struct{ Line LineID }

var dispatch = CommandType{
	Name:   "Dispatch",
	Fields: []Field{fieldOrderID, fieldSKU, fieldLineID},
	decode: func(f *fields) Command { return Dispatch{Line: f.line()} },
}

// Name is "Dispatch".
func (Dispatch) Name() string { return dispatch.Name }

// Keys are its product and its line.
func (cmd Dispatch) Keys() Keys { return Keys{SKU: cmd.Line.SKU, Line: cmd.Line} }

func (cmd Dispatch) expect(n *Need) {
	n.product(cmd.Line.SKU)
	n.line(cmd.Line)
}

func (cmd Dispatch) apply(c *Catalog, _ string) Result {
	p, l, need := c.findLine(cmd.Line)
	switch {
	case need != nil:
		return Result{Need: need}
	case l == nil:
		return c.refused(cmd.Line.SKU, unknownLine(cmd.Line))
	case l.State == Waiting:
		return c.refused(cmd.Line.SKU, refuse(ReasonLineWaiting,
			"%s waits for stock; only an allocated line can be dispatched", describe(cmd.Line)))
	case l.State == Cancelled:
		return c.refused(cmd.Line.SKU, refuse(ReasonLineCancelled,
			"%s was cancelled; only an allocated line can be dispatched", describe(cmd.Line)))
	case l.State == Dispatched:
		return Result{Product: p}
	}
	return c.dispatch(p, l)
}

// dispatch closes a line on a batch that has arrived.
func (c *Catalog) dispatch(p *Product, l *line) Result {
	b, need := c.findBatchOf(l)
	switch {
	case need != nil:
		return Result{Need: need}
	case b.ETA != "":
		return c.refused(p.SKU, refuse(ReasonBatchNotArrived,
			"%s is on the batch %s, due on %s; ChangeBatchEta without eta says that it has arrived",
			describe(l.ID), quote(b.Ref), b.ETA))
	}
	l.State = Dispatched
	b.Qty -= l.Qty // what is available stays
	b.Allocated -= l.Qty
	b.linesQty -= l.Qty
	p.batchChanged(b, updated)
	p.lineChanged(l, updated)
	return Result{Product: p, Events: p.emit(nil, ofLine(LineDispatched, l, b.Ref))}
}
