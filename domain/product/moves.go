package product

import "slices"

// The changes of lines and their batches. Each leaves all sums and lists right, and remembers what
// has to be written.

// put puts a line that is on no batch on b.
func (p *Product) put(l *line, b *batch) {
	if l.State == Waiting {
		p.Waiting--
		p.waiting.known--
	}
	l.State, l.BatchRef = Allocated, b.Ref
	p.open.change(b, func(b *Batch) { b.Allocated += l.Qty })
	b.attach(l)
	p.batchChanged(b, updated)
	p.lineChanged(l, updated)
}

// remove takes a line off its batch b. It is the caller's to give it a new state.
func (p *Product) remove(l *line, b *batch) {
	l.BatchRef = ""
	p.open.change(b, func(b *Batch) { b.Allocated -= l.Qty })
	b.linesQty -= l.Qty
	p.batchChanged(b, updated)
	p.lineChanged(l, updated)
}

// wait makes a line wait that is on no batch.
func (p *Product) wait(l *line) {
	l.State = Waiting
	p.Waiting++
	p.waiting.insert(l)
	p.lineChanged(l, updated)
}

// carryOut does what serve worked out for from, the batch whose stock rose, and appends the events.
func (p *Product) carryOut(events []Event, from *batch, moves []move) []Event {
	events = slices.Grow(events, 2*len(moves)) // a line leaves one batch, and gets another or waits
	for _, m := range moves {
		switch {
		case m.older:
		case m.to == from:
			from.lines.push(m.line)                                           // where serve took it from
			p.open.change(from, func(b *Batch) { b.Allocated -= m.line.Qty }) // until its turn
		default:
			p.remove(m.line, from)
			e := ofLine(LineDeallocated, m.line, from.Ref)
			e.Reason = DeallocatedBatchReduced
			events = p.emit(events, e)
		}
	}
	for _, m := range moves {
		switch {
		case m.to == nil || m.older || m.to != from:
			note := p.whyThere(m.to, len(events))
			events = p.emit(events, p.place(m.line, m.to))
			events[len(events)-1].Note = note
		default:
			p.open.change(from, func(b *Batch) { b.Allocated += m.line.Qty })
		}
	}
	return events
}

// place puts a line on b, or makes it wait if b is nil, and gives the event of that.
func (p *Product) place(l *line, b *batch) Event {
	if b == nil {
		p.wait(l)
		return ofLine(LineOutOfStock, l, "")
	}
	p.put(l, b)
	return ofLine(LineAllocated, l, b.Ref)
}

// whyThere notes, before a line is placed, why it goes to b, or waits if b is nil. The first events
// of a command have notes.
func (p *Product) whyThere(b *batch, events int) *Note {
	switch {
	case events >= maxNotes:
		return nil
	case b == nil:
		return p.open.largest()
	}
	return p.open.passedOver(b)
}
