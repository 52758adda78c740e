package product

// ChangeBatchEta sets when a batch is due; "" says that it has arrived. Refused with unknown_batch,
// sku_mismatch.
type ChangeBatchEta struct {
	BatchRef string
	// SKU, unless "", must be the batch's.
	SKU string
	ETA Date
}

var changeBatchEta = CommandType{
	Name:   "ChangeBatchEta",
	Fields: []Field{fieldBatchRef, fieldETA, fieldSKU},
	decode: func(f *fields) Command {
		return ChangeBatchEta{
			BatchRef: f.Identifier("batchref", f.batchref),
			ETA:      f.optionalDate("eta", f.eta),
			SKU:      f.OptionalIdentifier("sku", f.sku),
		}
	},
}

// Name is "ChangeBatchEta".
func (ChangeBatchEta) Name() string { return changeBatchEta.Name }

// Keys are its batch and, where it names that, its product.
func (cmd ChangeBatchEta) Keys() Keys { return Keys{SKU: cmd.SKU, Batch: cmd.BatchRef} }

func (cmd ChangeBatchEta) expect(n *Need) {
	n.batch(cmd.BatchRef, NoShrink)
	if cmd.SKU != "" {
		n.product(cmd.SKU)
	}
}

func (cmd ChangeBatchEta) apply(c *Catalog, _ string) Result {
	b, refusal, need := c.findBatch(cmd.BatchRef, cmd.SKU)
	switch {
	case need != nil:
		return Result{Need: need}
	case refusal != nil:
		return c.refused(b.SKU, refusal)
	}
	p := c.product(b.SKU)
	if b.ETA == cmd.ETA {
		return Result{Product: p}
	}
	was := b.ETA
	p.open.change(b, func(b *Batch) { b.ETA = cmd.ETA })
	p.batchChanged(b, updated)
	return Result{Product: p, Events: p.emit(nil, Event{
		Type: BatchEtaChanged, SKU: b.SKU, BatchRef: b.Ref, ETA: cmd.ETA, Note: &Note{WasETA: &was},
	})}
}
