package story

// customer is what the events of orders about a customer add up to.
type customer struct {
	id       string
	sequence int64
	placed   int64
	told     int    // how often the customer was told to be a VIP
	owed     string // the third order, whose CustomerBecameVIP is the next event
}

// order is a cart or an order as its events tell.
type order struct {
	id     string
	placed bool
	ready  bool   // announced, at least once
	ended  string // dispatched, cancelled or expired; empty: it goes on

	expiredBy place // the command of CartExpired; none where it has none
	lines     map[string]*orderLine
}

// orderLine is a line of it.
type orderLine struct {
	sku    string
	qty    int64
	closed string // removed or rejected; empty: it is wanted

	addedBy, expiredBy place // its commands; expiredBy is none where it did not expire

	readyOn []spot // from where it was announced ready, each once
	leftOut bool   // of an OrderReady, behind one that had it
}

// The ends of orders and lines, as tables have them.
const (
	expired  = "expired"
	removed  = "removed"
	rejected = "rejected"
)

// vipFrom is how many placed orders make a VIP.
const vipFrom = 3

func (c *Checker) takeOrderEvent(m *message) {
	who := c.customers[m.CustomerID]
	if who == nil {
		who = &customer{id: m.CustomerID}
		c.customers[m.CustomerID] = who
	}
	if m.CustomerID != string(m.record.Key) || m.CustomerID != customerOf(m.OrderID) {
		c.report(RuleFold, m.OrderID, "%s has the key %q and the customer %q", m, m.record.Key, m.CustomerID)
	}
	who.sequence = m.sequence
	c.noteEffect(m)
	if who.owed != "" && m.kind != "CustomerBecameVIP" {
		c.report(RuleVIP, who.id, "after %s was placed as the third comes %s", who.owed, m)
		who.owed = ""
	}
	o := c.orders[m.OrderID]
	if o == nil {
		o = &order{id: m.OrderID, lines: map[string]*orderLine{}}
		c.orders[m.OrderID] = o
		if m.kind != "CartLineAdded" {
			c.report(RuleFold, o.id, "%s: there is no such cart", m)
		}
	}
	switch m.kind {
	case "CartLineAdded", "CartLineRemoved", "CartLineRejected":
		c.takeCartLine(o, m)
	default:
		c.takeStep(who, o, m)
	}
}

func (c *Checker) takeCartLine(o *order, m *message) {
	l := o.lines[m.LineID]
	by, _ := c.placeOf(m.command())
	if m.kind == "CartLineAdded" {
		if l != nil || o.placed || o.ended != "" {
			c.report(RuleFold, o.id, "%s: a line %s; the order is placed: %t, and ended: %q", m, m.LineID, o.placed, o.ended)
		}
		o.lines[m.LineID] = &orderLine{sku: m.SKU, qty: m.Qty, addedBy: by}
		return
	}
	if l == nil || l.sku != m.SKU || l.qty != m.Qty || l.closed != "" {
		c.report(RuleFold, o.id, "%s: no such line %s of %d %s is open", m, m.LineID, m.Qty, m.SKU)
		return
	}
	if m.kind == "CartLineRemoved" && o.placed {
		c.report(RuleFold, o.id, "%s: the order is placed, and its lines stay", m)
	}
	l.closed = removed
	if m.Reason == expired {
		l.expiredBy = by
	}
	if m.kind == "CartLineRejected" {
		l.closed = rejected
	}
}

// takeStep takes an event about an order as a whole.
func (c *Checker) takeStep(who *customer, o *order, m *message) {
	must := func(is bool, what string) {
		if !is {
			c.report(RuleFold, o.id, "%s: the order is not %s (placed: %t, announced ready: %t, ended: %q)", m, what, o.placed, o.ready, o.ended)
		}
	}
	switch m.kind {
	case "OrderPlaced":
		must(!o.placed && o.ended == "", "a cart")
		o.placed = true
		if who.placed++; who.placed == vipFrom {
			who.owed = o.id
		}
	case "CustomerBecameVIP":
		if who.told++; who.owed != o.id {
			c.report(RuleVIP, who.id, "%s: the customer has placed %d orders, and was told %d times", m, who.placed, who.told)
		}
		who.owed = ""
	case "OrderReady":
		must(o.placed && o.ended == "", "waiting for goods")
		o.ready = true
		c.takeReady(o, m)
	case "OrderDispatched":
		must(o.placed && o.ready && o.ended == "", "ready")
		o.ended = dispatched
	case "OrderCancelled":
		must(o.ended == "", "going on")
		o.ended = cancelled
	case "CartExpired":
		must(!o.placed && o.ended == "", "a cart")
		o.ended = expired
		o.expiredBy, _ = c.placeOf(m.command())
	default:
		c.report(RuleFold, o.id, "%s is none of the events of orders", m)
	}
}
