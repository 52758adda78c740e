package domain

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
	p.open.change(b, func(b *Batch) { b.ETA = cmd.ETA })
	p.batchChanged(b, updated)
	return Result{Product: p, Events: p.emit(nil, Event{
		Type: BatchEtaChanged, SKU: b.SKU, BatchRef: b.Ref, ETA: cmd.ETA,
	})}
}
