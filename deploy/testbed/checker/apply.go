package checker

import "slices"

// expected is an event that must be.
type expected struct {
	kind     string
	sequence int64
	data     map[string]any // numbers as int64
	subject  string
}

// apply carries out a command with an effect.
func (p *product) apply(c *command) []expected {
	t := &turn{product: p, before: map[*line]*batch{}}
	for _, l := range p.lines {
		if l.state == allocated {
			t.before[l] = l.on
		}
	}
	switch c.kind {
	case "CreateBatch":
		p.batches = append(p.batches, &batch{ref: c.ref, eta: c.eta, firstETA: c.eta, qty: c.qty, firstQty: c.qty, revision: -1})
		t.emit("BatchCreated", c.ref, "ref", c.ref, "qty", c.qty, "eta", c.eta)
	case "ChangeBatchQuantity":
		t.changeQuantity(c)
	case "ChangeBatchEta":
		p.batch(c.ref).eta = c.eta
		t.emit("BatchEtaChanged", c.ref, "batchref", c.ref, "eta", c.eta)
	case "Allocate":
		l := &line{order: c.orderid, id: c.lineid, qty: c.qty, placed: p.version + 1, state: waiting}
		p.lines = append(p.lines, l)
		t.fresh = l
	case "Deallocate":
		l := p.line(c.orderid, c.lineid)
		t.emitLine("Deallocated", l, "batchref", l.ref(), "reason", "cancelled")
		l.state, l.on = cancelled, nil
	case "Dispatch":
		l := p.line(c.orderid, c.lineid)
		t.emitLine("Dispatched", l, "batchref", l.ref())
		l.state = dispatched
		l.on.qty -= l.qty
	}
	t.serve()
	t.tell()
	return t.events
}

// turn is the carrying out of one command.
type turn struct {
	product *product
	before  map[*line]*batch // where lines were
	fresh   *line            // placed by this command
	events  []expected
}

func (t *turn) changeQuantity(c *command) {
	p, b := t.product, t.product.batch(c.ref)
	b.qty, b.lastChange, b.revision = c.qty, c.id, max(b.revision, c.revision)
	var revision any = ""
	if c.revision >= 0 {
		revision = c.revision
	}
	t.emit("BatchQuantityChanged", c.ref, "batchref", c.ref, "qty", c.qty, "revision", revision)
	for _, l := range slices.Backward(p.lines) {
		if l.state == allocated && l.on == b && p.taken(b) > b.qty {
			l.state, l.on = waiting, nil
		}
	}
}

// serve offers every waiting line to every batch.
func (t *turn) serve() {
	p := t.product
	for _, l := range p.lines {
		for _, b := range p.preferred() {
			if l.state == waiting && b.qty-p.taken(b) >= l.qty {
				l.state, l.on = allocated, b
			}
		}
	}
}

// tell tells the net change of each line.
func (t *turn) tell() {
	open := func(l *line) bool { return l.state == waiting || l.state == allocated }
	for _, l := range t.product.lines {
		if from := t.before[l]; open(l) && from != nil && from != l.on {
			t.emitLine("Deallocated", l, "batchref", from.ref, "reason", "batch_reduced")
		}
	}
	for _, l := range t.product.lines {
		from := t.before[l]
		switch {
		case l.state == allocated && l.on != from:
			t.emitLine("Allocated", l, "batchref", l.on.ref)
		case l.state == waiting && (from != nil || l == t.fresh):
			t.emitLine("OutOfStock", l)
		}
	}
}

func (l *line) ref() string {
	if l.on == nil {
		return ""
	}
	return l.on.ref
}

func (t *turn) emitLine(kind string, l *line, more ...any) {
	t.emit(kind, l.order, append([]any{"orderid", l.order, "qty", l.qty, "lineid", l.id}, more...)...)
}

// emit adds an event; empty texts are absent fields.
func (t *turn) emit(kind, subject string, pairs ...any) {
	t.product.version++
	t.events = append(t.events, expected{kind: kind, sequence: t.product.version, data: fieldMap(t.product.sku, pairs...), subject: subject})
}

func fieldMap(sku string, pairs ...any) map[string]any {
	data := map[string]any{"sku": sku}
	for pair := range slices.Chunk(pairs, 2) {
		if name, value := pair[0].(string), pair[1]; value != "" {
			data[name] = value
		}
	}
	return data
}
