package checker

import "slices"

// expected is an event that must be.
type expected struct {
	kind     string
	sequence int64 // 0: none
	subject  string
	data     data
}

// turn is the carrying out of one command.
type turn struct {
	product *product
	before  map[*line]*batch // where the lines were that it touched; nil: they waited
	touched []*line
	fresh   *line // placed by this command
	events  []expected
}

// apply carries out a command with an effect.
func (p *product) apply(c *command) []expected {
	t := &turn{product: p, before: map[*line]*batch{}}
	switch c.kind {
	case "CreateBatch":
		b := &batch{ref: c.ref, eta: c.eta, firstETA: c.eta, qty: c.qty, firstQty: c.qty, revision: -1}
		p.batches[c.ref], p.ranked = b, append(p.ranked, b)
		p.rank()
		t.emit("BatchCreated", c.ref, data{ref: c.ref, qty: c.qty, eta: c.eta, revision: -1})
	case "ChangeBatchQuantity":
		t.changeQuantity(c)
	case "ChangeBatchEta":
		p.batches[c.ref].eta = c.eta
		p.rank()
		t.emit("BatchEtaChanged", c.ref, data{batchRef: c.ref, eta: c.eta, qty: -1, revision: -1})
	case "Allocate":
		t.fresh = &line{order: c.orderID, id: c.lineID, qty: c.qty, placed: p.version + 1, state: waiting}
		p.lines[lineKey{c.orderID, c.lineID}], p.waiting = t.fresh, append(p.waiting, t.fresh)
		t.touch(t.fresh)
	case "Deallocate":
		t.cancel(p.line(c.orderID, c.lineID))
	case "Dispatch":
		l := p.line(c.orderID, c.lineID)
		t.emitLine("Dispatched", l, l.on.ref, "")
		l.state = dispatched
		l.on.drop(l)
		l.on.qty -= l.qty
	}
	t.serve()
	t.tell()
	return t.events
}

// touch remembers where a line was before.
func (t *turn) touch(l *line) {
	if _, known := t.before[l]; !known {
		t.before[l] = l.on
		t.touched = append(t.touched, l)
	}
}

func (t *turn) changeQuantity(c *command) {
	p, b := t.product, t.product.batches[c.ref]
	b.qty, b.lastChange, b.revision = c.qty, c.id, max(b.revision, c.revision)
	t.emit("BatchQuantityChanged", c.ref, data{batchRef: c.ref, qty: c.qty, revision: c.revision})
	for b.taken > b.qty {
		l := b.on[len(b.on)-1]
		t.touch(l)
		b.drop(l)
		l.state, l.on = waiting, nil
		p.waiting = insert(p.waiting, l)
	}
}

func (t *turn) cancel(l *line) {
	if l.on != nil {
		t.emitLine("Deallocated", l, l.on.ref, "cancelled")
		l.on.drop(l)
	} else {
		t.emitLine("Deallocated", l, "", "cancelled")
		t.product.waiting = remove(t.product.waiting, l)
	}
	l.state, l.on = cancelled, nil
}

// serve offers every waiting line, in placed order, to every batch, in order of preference.
func (t *turn) serve() {
	p := t.product
	most := p.maxAvailable()
	p.waiting = slices.DeleteFunc(p.waiting, func(l *line) bool {
		if l.qty > most { // no batch can take it
			return false
		}
		i := slices.IndexFunc(p.ranked, func(b *batch) bool { return b.qty-b.taken >= l.qty })
		t.touch(l)
		p.ranked[i].take(l)
		most = p.maxAvailable()
		return true
	})
}

// maxAvailable is the most that any batch has available.
func (p *product) maxAvailable() (most int64) {
	for _, b := range p.ranked {
		most = max(most, b.qty-b.taken)
	}
	return most
}

// tell tells the net change of each line.
func (t *turn) tell() {
	slices.SortFunc(t.touched, byPlaced)
	for _, l := range t.touched {
		if from := t.before[l]; from != nil && from != l.on {
			t.emitLine("Deallocated", l, from.ref, "batch_reduced")
		}
	}
	for _, l := range t.touched {
		from := t.before[l]
		switch {
		case l.state == allocated && l.on != from:
			t.emitLine("Allocated", l, l.on.ref, "")
		case l.state == waiting && (from != nil || l == t.fresh):
			t.emitLine("OutOfStock", l, "", "")
		}
	}
}

func (t *turn) emitLine(kind string, l *line, batchRef, reason string) {
	t.emit(kind, l.order, data{orderID: l.order, lineID: l.id, qty: l.qty, batchRef: batchRef, reason: reason, revision: -1})
}

// rejection is the event of an Allocate that is refused.
func rejection(c *command, reason string) expected {
	d := data{sku: c.sku, orderID: c.orderID, lineID: c.lineID, qty: c.qty, reason: reason, revision: -1}
	return expected{kind: "AllocationRejected", subject: c.orderID, data: d}
}

func (t *turn) emit(kind, subject string, d data) {
	t.product.version++
	d.sku = t.product.sku
	t.events = append(t.events, expected{kind, t.product.version, subject, d})
}
