package story

import "fmt"

// task is a command of the warehouse about a shipment.
type task struct {
	kind, sku, ref, eta, report string
	qty                         int64
	isNew                       bool // an AnnounceShipment whose number is above all before
	again                       bool // a report that there was before
}

// reportID is a report about a batch.
type reportID struct{ ref, report string }

func (c *Checker) takeTask(m *message) {
	switch m.kind {
	case "PickLine":
		a := c.askedOf(m)
		a.picks = once(a.picks, m)
		a.told++
	case "AnnounceShipment", "ReceiveShipment", "ReportDamage", "CountBatch":
		t := task{kind: m.kind, sku: m.SKU, ref: fmt.Sprint(m.SKU, ".", m.Shipment), eta: m.ETA, report: m.Report, qty: m.Qty}
		if m.kind == "AnnounceShipment" && m.Shipment > c.shipments[m.SKU] {
			t.isNew, c.shipments[m.SKU] = true, m.Shipment
		}
		if id := (reportID{t.ref, t.report}); t.report != "" {
			t.again = c.reports[id]
			c.reports[id] = true
		}
		c.tasks[m.place()] = t
	}
}

// checkTasks looks at what became of each task, and at what the warehouse noted by none.
func (c *Checker) checkTasks() {
	received := map[string]bool{}
	for at, t := range c.tasks {
		switch {
		case t.isNew && c.shelves[t.ref] == nil:
			c.report(RuleTask, t.ref, "the AnnounceShipment at %s came to nothing", at)
		case t.kind == "ReceiveShipment":
			received[t.ref] = true
		}
	}
	for ref, s := range c.shelves {
		if t := c.tasks[s.announcedBy]; !t.isNew || t.ref != ref || t.sku != s.sku || t.qty != s.received || t.eta != s.eta {
			c.report(RuleTask, ref, "%d %s were announced, due %q; at %s is no task for that", s.received, s.sku, s.eta, s.announcedBy)
		}
		c.checkArrivals(s, received[ref])
		c.checkLosses(s)
	}
}

// checkArrivals: what was due arrived once, by a task.
func (c *Checker) checkArrivals(s *shelf, received bool) {
	want := 0
	if received && s.eta != "" {
		want = 1
	}
	if len(s.arrivals) != want {
		c.report(RuleTask, s.ref, "it was due %q, and received by a task: %t; it arrived %d times", s.eta, received, len(s.arrivals))
	}
	for _, at := range s.arrivals {
		if t := c.tasks[at]; t.kind != "ReceiveShipment" || t.ref != s.ref {
			c.report(RuleTask, s.ref, "it arrived; at %s is no task for that", at)
		}
	}
}

// loss is that something was lost of a batch, or was found (below zero).
type loss struct {
	by                place
	qty               int64
	shelf, lostBefore int64
}

// checkLosses: each loss is of a report, once, and as much as that says. A report that changed
// nothing has none, and its repeats have none. The warehouse knows them only among the last 8 of a
// batch; here nobody repeats one later.
func (c *Checker) checkLosses(s *shelf) {
	before := map[place]bool{}
	for _, l := range s.losses {
		t := c.tasks[l.by]
		want := int64(0)
		switch {
		case t.ref != s.ref:
		case t.kind == "ReportDamage":
			want = min(t.qty, l.shelf)
		case t.kind == "CountBatch":
			want = max(l.shelf-t.qty, -l.lostBefore)
		}
		if l.qty != want || want == 0 || t.again || before[l.by] {
			c.report(RuleTask, s.ref, "%d of %d on the shelf were lost; by the %s %q of %d at %s it is %d (a repeat: %t)",
				l.qty, l.shelf, t.kind, t.report, t.qty, l.by, want, t.again || before[l.by])
		}
		before[l.by] = true
	}
}
