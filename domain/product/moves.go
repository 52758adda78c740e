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
			from.lines.push(m.line) // where serve took it from
		default:
			p.remove(m.line, from)
			e := ofLine(LineDeallocated, m.line, from.Ref)
			e.Reason = DeallocatedBatchReduced
			events = p.emit(events, e)
		}
	}
	for _, m := range moves {
		switch {
		case m.to == nil:
			p.wait(m.line)
			events = p.emit(events, ofLine(LineOutOfStock, m.line, ""))
		case m.older || m.to != from:
			p.put(m.line, m.to)
			events = p.emit(events, ofLine(LineAllocated, m.line, m.to.Ref))
		}
	}
	return events
}
