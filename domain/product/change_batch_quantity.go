package product

// ChangeBatchQuantity sets a batch's quantity, and releases the last placed lines that it no longer
// holds. Refused with unknown_batch, sku_mismatch.
type ChangeBatchQuantity struct {
	BatchRef string
	// SKU, unless "", must be the batch's.
	SKU string
	Qty int64
	// Revision, unless NoRevision, must be above the last one seen, or the command is stale and has
	// no effect.
	Revision int64
}

var changeBatchQuantity = CommandType{
	Name:   "ChangeBatchQuantity",
	Fields: []Field{fieldBatchRef, fieldQty, fieldSKU, fieldRevision},
	decode: func(f *fields) Command {
		return ChangeBatchQuantity{
			BatchRef: f.Identifier("batchref", f.batchref),
			Qty:      f.Integer("qty", f.qty, 0, MaxQuantity),
			SKU:      f.OptionalIdentifier("sku", f.sku),
			Revision: f.optionalRevision("revision", f.revision),
		}
	},
}

// Name is "ChangeBatchQuantity".
func (ChangeBatchQuantity) Name() string { return changeBatchQuantity.Name }

// Keys are its batch and, where it names that, its product.
func (cmd ChangeBatchQuantity) Keys() Keys { return Keys{SKU: cmd.SKU, Batch: cmd.BatchRef} }

func (cmd ChangeBatchQuantity) expect(n *Need) {
	n.batch(cmd.BatchRef, cmd.Qty)
	if cmd.SKU != "" {
		n.open(cmd.SKU, firstOpen)
	}
}

func (cmd ChangeBatchQuantity) apply(c *Catalog, commandID string) Result {
	b, refusal, need := c.findBatch(cmd.BatchRef, cmd.SKU)
	switch {
	case need != nil:
		return Result{Need: cmd.foresee(need, b)}
	case refusal != nil:
		return c.refused(b.SKU, refusal)
	}
	p := c.product(b.SKU)
	if !cmd.changes(b, commandID) {
		return Result{Product: p}
	}
	moves, need := cmd.plan(p, b)
	if need != nil {
		return Result{Need: need}
	}
	return Result{Product: p, Events: cmd.change(p, b, commandID, moves)}
}

// foresee adds to the need for the batch or its product what releasing lines will need.
func (cmd ChangeBatchQuantity) foresee(need *Need, b *batch) *Need {
	if b.knowledge == unknown {
		need.batch(cmd.BatchRef, cmd.Qty)
	}
	if b.knowledge == unknown || b.Allocated > cmd.Qty {
		for _, p := range need.Products {
			p.Open = firstOpen
		}
	}
	return need
}

// changes reports whether the command has an effect: it is neither stale, nor a repeat, nor without
// news.
func (cmd ChangeBatchQuantity) changes(b *batch, commandID string) bool {
	if cmd.Revision != NoRevision {
		return cmd.Revision > b.Revision
	}
	repeat := commandID != "" && commandID == b.LastChange
	return !repeat && cmd.Qty != b.Qty
}

// plan works out where lines go: the lines that the batch must release, and the lines that its
// stock can serve.
func (cmd ChangeBatchQuantity) plan(p *Product, b *batch) ([]move, *Need) {
	switch {
	case cmd.Qty < b.Allocated:
		return cmd.planRelease(p, b)
	case cmd.Qty > b.Qty:
		return p.serve(b, cmd.Qty-b.Allocated, nil)
	}
	return nil, nil
}

func (cmd ChangeBatchQuantity) planRelease(p *Product, b *batch) ([]move, *Need) {
	released, missing, ok := b.release(b.Allocated-cmd.Qty, p.Loaded)
	if !ok {
		need := NewNeed()
		need.batch(b.Ref, max(0, b.unknownQty()-missing))
		if !p.open.learned() {
			need.open(p.SKU, firstOpen)
		}
		return nil, need
	}
	stock := cmd.Qty - b.Allocated
	for _, l := range released {
		stock += l.Qty
	}
	moves, need := p.serve(b, stock, released)
	if need != nil {
		b.lines.push(released...)
	}
	return moves, need
}

func (cmd ChangeBatchQuantity) change(p *Product, b *batch, commandID string, moves []move) []Event {
	was := b.Qty
	p.open.change(b, func(b *Batch) { b.Qty = cmd.Qty })
	b.Revision = max(b.Revision, cmd.Revision)
	b.LastChange = commandID
	p.batchChanged(b, updated)
	events := p.emit(nil, Event{
		Type: BatchQuantityChanged, SKU: b.SKU, BatchRef: b.Ref, Qty: cmd.Qty, Revision: cmd.Revision,
		Note: &Note{WasQty: &was},
	})
	return p.carryOut(events, b, moves)
}
