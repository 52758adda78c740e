package product

import "strconv"

// CreateBatch adds a batch, and its product if that is new. Applied before with the same content,
// it has no effect. Refused with batch_conflict.
type CreateBatch struct {
	Ref, SKU string
	Qty      int64
	ETA      Date
}

var createBatch = CommandType{
	Name:   "CreateBatch",
	Fields: []Field{fieldRef, fieldSKU, fieldQty, fieldETA},
	decode: func(f *fields) Command {
		return CreateBatch{
			Ref: f.Identifier("ref", f.ref),
			SKU: f.Identifier("sku", f.sku),
			Qty: f.Integer("qty", f.qty, 0, MaxQuantity),
			ETA: f.optionalDate("eta", f.eta),
		}
	},
}

// Name is "CreateBatch".
func (CreateBatch) Name() string { return createBatch.Name }

// Keys are its product, and the batch that it makes.
func (cmd CreateBatch) Keys() Keys { return Keys{SKU: cmd.SKU, Makes: cmd.Ref} }

func (cmd CreateBatch) expect(n *Need) {
	n.batch(cmd.Ref, NoShrink)
	n.product(cmd.SKU)
}

func (cmd CreateBatch) apply(c *Catalog, _ string) Result {
	b, p := c.batch(cmd.Ref), c.product(cmd.SKU)
	if b.knowledge == present {
		return cmd.again(c, b)
	}
	if b.knowledge == unknown || p.knowledge == unknown {
		return Result{Need: cmd.missing(b, p)}
	}
	moves, need := p.serve(b, cmd.Qty, nil)
	if need != nil {
		return Result{Need: need}
	}
	return Result{Product: p, Events: cmd.create(p, b, moves)}
}

// again is a command for a reference that exists.
func (cmd CreateBatch) again(c *Catalog, b *batch) Result {
	if b.SKU == cmd.SKU && b.FirstQty == cmd.Qty && b.FirstETA == cmd.ETA {
		return Result{Product: c.Product(cmd.SKU)}
	}
	return c.refused(cmd.SKU, refuse(ReasonBatchConflict,
		"the ref %s exists with other content: created with %s; a new batch needs a new ref", quote(cmd.Ref), content(b)))
}

func content(b *batch) string {
	text := "sku " + quote(b.SKU) + ", qty " + strconv.FormatInt(b.FirstQty, 10)
	if b.FirstETA == "" {
		return text + " and no eta"
	}
	return text + ", eta " + string(b.FirstETA)
}

func (cmd CreateBatch) missing(b *batch, p *Product) *Need {
	need := NewNeed()
	if b.knowledge == unknown {
		need.batch(cmd.Ref, NoShrink)
	}
	if p.knowledge == unknown {
		need.product(cmd.SKU)
	}
	return need
}

func (cmd CreateBatch) create(p *Product, b *batch, moves []move) []Event {
	p.knowledge, b.knowledge = present, present
	b.Batch = Batch{
		Ref: cmd.Ref, SKU: cmd.SKU, Qty: cmd.Qty, ETA: cmd.ETA,
		FirstQty: cmd.Qty, FirstETA: cmd.ETA, Revision: NoRevision,
	}
	if cmd.Qty > 0 {
		p.open.insert(b)
	}
	p.batchChanged(b, created)
	events := p.emit(nil, Event{Type: BatchCreated, SKU: cmd.SKU, BatchRef: cmd.Ref, Qty: cmd.Qty, ETA: cmd.ETA})
	return p.carryOut(events, b, moves)
}
