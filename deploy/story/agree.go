package story

import (
	"cmp"
	"fmt"
)

// checkTables compares what events add up to with the tables.
func (c *Checker) checkTables(t *Tables) {
	c.checkOrderTables(t)
	c.checkStockTables(t)
	c.checkLedgerTables(t)
}

// compare says what is not the same.
func compare[T comparable](c *Checker, about, what string, table, events T) {
	if table != events {
		c.report(RuleTables, about, "the table of %s has %v; by events it is %v", what, table, events)
	}
}

// count compares how many rows a table has.
func count(c *Checker, what string, table, events int) { compare(c, what, what, table, events) }

func (c *Checker) checkOrderTables(t *Tables) {
	count(c, "customers", len(t.Customers), len(c.customers))
	for _, row := range t.Customers {
		if who := c.customers[row.ID]; who != nil {
			compare(c, row.ID, "customers", row, CustomerRow{row.ID, who.sequence, who.placed})
		}
	}
	count(c, "orders", len(t.Orders), len(c.orders))
	for _, row := range t.Orders {
		if o := c.orders[row.ID]; o != nil {
			want := o.phase()
			if o.ready && row.Phase == "placed" {
				want = row.Phase // a line moved, and was not announced yet
			}
			compare(c, row.ID, "orders", row, OrderRow{row.ID, want, o.placed})
		}
	}
	lines := 0
	for _, o := range c.orders {
		lines += len(o.lines)
	}
	count(c, "order_lines", len(t.OrderLines), lines)
	for _, row := range t.OrderLines {
		c.checkOrderLine(&row)
	}
	for _, row := range t.Known {
		p := c.products[row.SKU]
		if p == nil || p.batches[row.Ref] == nil || p.batches[row.Ref].arrived != row.Arrived {
			c.report(RuleTables, row.Ref, "orders knows this batch of %s, which has arrived: %t; stock does not have it so", row.SKU, row.Arrived)
		}
	}
}

// phase is that of the table.
func (o *order) phase() string {
	switch {
	case o.ended != "":
		return o.ended
	case o.ready:
		return "ready"
	case o.placed:
		return "placed"
	}
	return "cart"
}

// checkOrderLine compares a line as orders has it with its own events, and with stock.
func (c *Checker) checkOrderLine(row *OrderLineRow) {
	id := lineID{row.Order, row.Line}
	o := c.orders[row.Order]
	if o == nil || o.lines[row.Line] == nil {
		c.report(RuleTables, id.String(), "the table of order_lines has it; by events there is none")
		return
	}
	l, want := o.lines[row.Line], OrderLineRow{Order: row.Order, Line: row.Line}
	want.SKU, want.Qty, want.State = l.sku, l.qty, l.closed
	if o.ended == cancelled || o.ended == expired {
		want.State = cmp.Or(want.State, removed)
	}
	s := c.atStock(id, l)
	switch {
	case s != nil && s.state == dispatched: // perhaps of an order that was cancelled meanwhile
		want.State, want.Batch = dispatched, s.batch
	case want.State != "":
	case s == nil:
		want.State = "requested"
	case s.state == allocated:
		want.State, want.Batch = "reserved", s.batch
	default:
		want.State = s.state
	}
	compare(c, id.String(), "order_lines", *row, want)
}

func (c *Checker) checkStockTables(t *Tables) {
	count(c, "products", len(t.Products), len(c.products))
	for _, row := range t.Products {
		compare(c, row.SKU, "products", row, ProductRow{row.SKU, c.product(row.SKU).version})
	}
	batches, lines := 0, 0
	for _, p := range c.products {
		batches, lines = batches+len(p.batches), lines+len(p.lines)
	}
	count(c, "batches", len(t.Batches), batches)
	for _, row := range t.Batches {
		if b := c.product(row.SKU).batches[row.Ref]; b != nil {
			compare(c, row.Ref, "batches", row, BatchRow{row.Ref, row.SKU, b.qty, b.allocated, b.arrived})
		}
	}
	count(c, "lines", len(t.StockLines), lines)
	for _, row := range t.StockLines {
		id := lineID{row.Order, row.Line}
		if l := c.product(row.SKU).lines[id]; l != nil {
			batch := l.batch
			if l.state == cancelled {
				batch = row.Batch
			}
			compare(c, id.String(), "lines", row, StockLineRow{row.Order, row.SKU, row.Line, l.qty, l.state, batch})
		}
	}
}

// checkLedgerTables compares the ledger of each article with the warehouse's events: what is over
// is added up there.
func (c *Checker) checkLedgerTables(t *Tables) {
	over := map[string]*OverRow{}
	for _, s := range c.shelves {
		if over[s.sku] == nil {
			over[s.sku] = &OverRow{SKU: s.sku}
		}
		over[s.sku].add(s, 1)
	}
	for _, row := range t.Ledger {
		s := c.shelves[row.Ref]
		if s == nil {
			c.report(RuleTables, row.Ref, "the table of ledgers has it; by events there is none")
			continue
		}
		compare(c, row.Ref, "ledgers", row, LedgerRow{s.sku, s.ref, s.received, s.lost, s.shipped, total(s.picked), s.arrived})
		over[s.sku].add(s, -1)
	}
	for _, row := range t.Over {
		if want := over[row.SKU]; want != nil {
			compare(c, row.SKU, "ledgers, of what is over,", row, *want)
			delete(over, row.SKU)
		}
	}
	for sku, want := range over {
		if want.Batches > 0 {
			c.report(RuleTables, sku, "the table of ledgers lacks %d batches", want.Batches)
		}
	}
}

func (r *OverRow) add(s *shelf, sign int64) {
	r.Batches += sign
	r.Received += sign * s.received
	r.Lost += sign * s.lost
	r.Shipped += sign * s.shipped
}

// checkServices looks whether each service applied and published everything, and holds no key.
func (c *Checker) checkServices(t *Tables) {
	positions := map[partition]int{}
	for _, row := range t.Positions {
		at := fmt.Sprintf("%s: %s %d", row.Schema, row.Topic, row.Partition)
		positions[partition{row.Topic, row.Partition}]++
		if row.Published != row.NextRow {
			c.report(RuleOutbox, at, "of %d rows %d are published", row.NextRow, row.Published)
		}
		if end := c.ends[partition{row.Topic, row.Partition}]; row.NextOffset < end {
			c.report(RuleOutbox, at, "records are applied up to %d of %d", row.NextOffset, end)
		}
	}
	for p := range c.ends {
		switch p.topic {
		case c.topics.OrderCommands, c.topics.StockEvents, c.topics.OrderEvents, c.topics.StockCommands, c.topics.Tasks:
			want := 1
			if p.topic == c.topics.StockEvents {
				want = 2 // orders and the warehouse take them
			}
			if positions[p] != want {
				c.report(RuleOutbox, fmt.Sprintf("%s %d", p.topic, p.number), "%d services take it, not %d", positions[p], want)
			}
		}
	}
	for _, row := range t.Held {
		c.report(RuleHeld, row.Schema+": "+row.Key, "the key is held")
	}
}
