package story

import "time"

// product is what stock's events about an article add up to.
type product struct {
	sku     string
	version int64
	batches map[string]*batch
	lines   map[lineID]*stockLine

	command string   // whose events come just now
	changed []*batch // by it
}

// batch is a batch as stock tells of it.
type batch struct {
	ref                        string
	qty, allocated, dispatched int64
	arrived                    bool
	came                       bool // it arrived once, whatever was said later
}

// lineID is a line of an order. That of a customer's order is of one article.
type lineID struct{ order, line string }

func (l lineID) String() string { return l.order + " " + l.line }

// stockLine is a line as stock tells of it.
type stockLine struct {
	qty   int64
	state string
	batch string    // of one that is allocated or dispatched
	wasOn []spot    // where it ever was
	first time.Time // of the event that it has its first batch; zero: it never had one
}

// spot is a batch that a line was on, and the sequence of the event that put it there.
type spot struct {
	ref  string
	fact int64
}

// The states of lines at stock, as its table has them.
const (
	waiting    = "waiting"
	allocated  = "allocated"
	dispatched = "dispatched"
	cancelled  = "cancelled"
)

func (c *Checker) product(sku string) *product {
	p := c.products[sku]
	if p == nil {
		p = &product{sku: sku, batches: map[string]*batch{}, lines: map[lineID]*stockLine{}}
		c.products[sku] = p
	}
	return p
}

func (c *Checker) takeStockEvent(m *message) {
	if m.SKU != string(m.record.Key) {
		c.report(RuleFold, m.SKU, "%s has the key %q", m, m.record.Key)
	}
	if m.kind == "AllocationRejected" {
		c.askedOf(m).rejected = m.Reason
		return
	}
	p := c.product(m.SKU)
	if command := m.command(); command != p.command {
		c.endCommand(p)
		p.command = command
	}
	p.version = m.sequence
	switch m.kind {
	case "BatchCreated":
		if p.batches[m.Ref] != nil {
			c.report(RuleFold, m.Ref, "%s: there is such a batch", m)
		}
		p.batches[m.Ref] = &batch{ref: m.Ref, qty: m.Qty, arrived: m.ETA == "", came: m.ETA == ""}
	case "BatchQuantityChanged", "BatchEtaChanged":
		c.takeBatchChange(p, m)
	default:
		c.takeLineEvent(p, m)
	}
}

func (c *Checker) takeBatchChange(p *product, m *message) {
	b := c.batch(p, m)
	if m.kind == "BatchEtaChanged" {
		b.arrived = m.ETA == ""
		b.came = b.came || b.arrived
		return
	}
	b.qty = m.Qty
	p.changed = append(p.changed, b)
}

// batch is that of an event, which there must be.
func (c *Checker) batch(p *product, m *message) *batch {
	b := p.batches[m.BatchRef]
	if b == nil {
		c.report(RuleFold, m.BatchRef, "%s: there is no such batch", m)
		b = &batch{ref: m.BatchRef}
		p.batches[m.BatchRef] = b
	}
	return b
}

func (c *Checker) takeLineEvent(p *product, m *message) {
	id := lineID{m.OrderID, m.LineID}
	l := p.lines[id]
	if l == nil {
		l = &stockLine{qty: m.Qty, state: waiting}
		p.lines[id] = l
		if m.kind != "Allocated" && m.kind != "OutOfStock" {
			c.report(RuleFold, id.String(), "%s: stock has no such line", m)
		}
	}
	if l.qty != m.Qty {
		c.report(RuleFold, id.String(), "%s has %d; the line has %d", m, m.Qty, l.qty)
	}
	if closed := l.state == cancelled || l.state == dispatched; closed {
		c.report(RuleFold, id.String(), "%s: the line is %s", m, l.state)
		return
	}
	c.moveLine(p, l, m)
}

// moveLine does what an event says with a line that is open.
func (c *Checker) moveLine(p *product, l *stockLine, m *message) {
	id := lineID{m.OrderID, m.LineID}
	if (m.kind == "Deallocated" || m.kind == "Dispatched") && l.batch != m.BatchRef {
		c.report(RuleFold, id.String(), "%s is of the batch %q; the line is on %q", m, m.BatchRef, l.batch)
	}
	if was := p.batches[l.batch]; was != nil && l.state == allocated {
		was.allocated -= l.qty
		if m.kind == "Dispatched" {
			was.qty, was.dispatched = was.qty-l.qty, was.dispatched+l.qty
			if !was.arrived {
				c.report(RuleArrived, id.String(), "%s: the batch %s had not arrived", m, was.ref)
			}
		}
		p.changed = append(p.changed, was)
	}
	switch m.kind {
	case "Allocated":
		if l.state == allocated {
			c.report(RuleFold, id.String(), "%s: the line is on %q already", m, l.batch)
		}
		b := c.batch(p, m)
		b.allocated += l.qty
		l.state, l.batch = allocated, b.ref
		if l.first.IsZero() {
			l.first = m.record.Timestamp
		}
		l.wasOn = append(l.wasOn, spot{b.ref, m.sequence})
		p.changed = append(p.changed, b)
	case "Deallocated":
		l.state, l.batch = waiting, ""
		if m.Reason == cancelled {
			l.state = cancelled
		}
	case "OutOfStock":
		l.state, l.batch = waiting, ""
	case "Dispatched":
		l.state = dispatched
	default:
		c.report(RuleFold, p.sku, "%s is none of stock's events", m)
	}
}

// endCommand looks at the batches that a command changed. In between it may hold more lines than
// there are goods.
func (c *Checker) endCommand(p *product) {
	for _, b := range p.changed {
		if b.qty < 0 || b.allocated > b.qty || b.allocated < 0 {
			c.report(RuleOversold, b.ref, "after the command %s, at version %d of %s, %d are allocated of %d", p.command, p.version, p.sku, b.allocated, b.qty)
		}
	}
	p.changed = p.changed[:0]
}

func (c *Checker) endProducts() {
	for _, p := range c.products {
		c.endCommand(p)
	}
}
