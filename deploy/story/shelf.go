package story

// shelf is what the warehouse's events about a batch add up to.
type shelf struct {
	sku, ref, eta           string
	received, lost, shipped int64
	arrived                 bool
	picked                  map[lineID]int64 // those that have not left

	announcedBy place   // its task
	arrivals    []place // their tasks
	losses      []loss
}

func (c *Checker) takeWarehouseEvent(m *message) {
	s := c.shelves[m.BatchRef]
	by, _ := c.placeOf(m.command())
	if m.kind == "ShipmentAnnounced" {
		if s != nil {
			c.report(RuleFold, m.BatchRef, "%s: it was announced before", m)
		}
		c.shelves[m.BatchRef] = &shelf{
			sku: m.SKU, ref: m.BatchRef, eta: m.ETA, received: m.Qty, arrived: m.ETA == "", picked: map[lineID]int64{}, announcedBy: by,
		}
		return
	}
	if s == nil || s.sku != m.SKU {
		c.report(RuleFold, m.BatchRef, "%s: no such shipment was announced", m)
		return
	}
	id := lineID{m.OrderID, m.LineID}
	switch m.kind {
	case "ShipmentArrived":
		s.arrived = true
		s.arrivals = append(s.arrivals, by)
	case "GoodsLost":
		s.lose(by, m.Qty)
	case "GoodsFound":
		s.lose(by, -m.Qty)
	case "LinePicked":
		if s.picked[id] != 0 || !s.arrived {
			c.report(RulePick, id.String(), "%s of %s: of it %d is picked already (arrived: %t)", m, s.ref, s.picked[id], s.arrived)
		}
		s.picked[id] += m.Qty
	case "LinePutBack":
		c.unpick(s, m)
	case "LineShipped":
		c.unpick(s, m)
		s.shipped += m.Qty
	default:
		c.report(RuleFold, s.ref, "%s is none of the warehouse's events", m)
	}
	if s.left() < 0 {
		c.report(RuleOversold, s.ref, "after %s the warehouse has shipped %d, picked %d and lost %d of %d", m, s.shipped, total(s.picked), s.lost, s.received)
	}
}

// left is what is on the shelf.
func (s *shelf) left() int64 { return s.received - s.lost - s.shipped - total(s.picked) }

// lose takes what was lost, or was found (below zero).
func (s *shelf) lose(by place, qty int64) {
	s.losses = append(s.losses, loss{by: by, qty: qty, shelf: s.left(), lostBefore: s.lost})
	s.lost += qty
}

// unpick takes what was picked of a line off what is picked.
func (c *Checker) unpick(s *shelf, m *message) {
	id := lineID{m.OrderID, m.LineID}
	if s.picked[id] != m.Qty {
		c.report(RulePick, id.String(), "%s of %d from %s: of it %d is picked", m, m.Qty, s.ref, s.picked[id])
	}
	delete(s.picked, id)
}

func total(picked map[lineID]int64) (sum int64) {
	for _, qty := range picked {
		sum += qty
	}
	return sum
}

// checkShelves compares what the warehouse has with what stock has: of each batch that has arrived,
//
//	received - lost = free + allocated + dispatched
func (c *Checker) checkShelves() {
	for _, p := range c.products {
		for _, b := range p.batches {
			s := c.shelves[b.ref]
			switch {
			case s == nil || s.sku != p.sku:
				c.report(RuleLedger, b.ref, "stock has a batch of %d %s that the warehouse never announced", b.qty, p.sku)
				continue
			case s.arrived != b.arrived:
				c.report(RuleLedger, b.ref, "it arrived at the warehouse: %t; at stock: %t", s.arrived, b.arrived)
			case s.received-s.lost != b.qty+b.dispatched:
				c.report(RuleLedger, b.ref, "the warehouse received %d and lost %d; stock has %d free, %d allocated and %d dispatched",
					s.received, s.lost, b.qty-b.allocated, b.allocated, b.dispatched)
			case s.shipped != b.dispatched:
				c.report(RuleLedger, b.ref, "the warehouse shipped %d; stock dispatched %d", s.shipped, b.dispatched)
			}
		}
	}
	for _, s := range c.shelves {
		if p := c.products[s.sku]; p == nil || p.batches[s.ref] == nil {
			c.report(RuleLedger, s.ref, "the warehouse announced %d %s that stock never heard of", s.received, s.sku)
		}
		for id, qty := range s.picked {
			c.report(RulePick, id.String(), "%d are picked from %s, and neither left nor were put back", qty, s.ref)
		}
	}
}
