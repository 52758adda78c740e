package orders

import (
	"maps"
	"slices"
	"time"

	"allocation/domain/order"
	"allocation/store"
)

// Write appends what was changed, and checks what was relied on.
func (a *aggregate) Write(to *store.Pipeline, _ *store.Tx) (keys []string) {
	l := a.loaded
	changed, early := l.changedOrders(), l.changedEarly()
	l.writeCustomers(to, changed, early)
	l.writeBatches(to, changed)
	writeOrders(to, changed)
	l.writeLines(to, changed)
	l.writeEarly(to, early)
	for i := range a.messages {
		if a.messages[i].Message != nil {
			keys = append(keys, keyOf(a.messages[i].keys))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// changedOrders are the orders that are other than they were read, by id.
func (l *loaded) changedOrders() (changed []*order.Order) {
	for _, id := range slices.Sorted(maps.Keys(l.orders)) {
		o, read := l.orders[id], l.readOrders[id]
		if o.Phase != read.Phase || !slices.Equal(o.Lines, read.Lines) {
			changed = append(changed, o)
		}
	}
	return changed
}

func (l *loaded) writeCustomers(to *store.Pipeline, changed []*order.Order, early []string) {
	owners := map[string]bool{}
	for _, id := range early {
		owners[order.CustomerOf(id)] = true
	}
	for _, o := range changed {
		owners[order.CustomerOf(o.ID)] = true
	}
	ids := slices.Sorted(maps.Keys(l.customers))
	if len(ids) == 0 {
		return
	}
	var olds, news, sequences, placed, rows []int64
	var sources, days []int32
	for _, id := range ids {
		c := l.customers[id]
		next := c.change
		if owners[id] || c.Customer != c.read || c.last != c.before {
			next++
		}
		olds, news, sequences, placed = append(olds, c.change), append(news, next), append(sequences, c.Version), append(placed, c.Placed)
		sources, rows, days = append(sources, c.last.Source), append(rows, c.last.Row), append(days, c.last.Day())
	}
	to.Execute(`select save_customers($1, $2, $3, $4, $5, $6, $7, $8)`, ids, olds, news, sequences, placed, sources, rows, days)
}

// writeBatches also makes a batch that a line is on and that no fact told of yet: who tells of it
// then has to wait for this transaction.
func (l *loaded) writeBatches(to *store.Pipeline, changed []*order.Order) {
	for _, o := range changed {
		for i := range o.Lines {
			if line := &o.Lines[i]; line.State == order.Reserved && l.batches[line.Batch] == nil {
				l.batches[line.Batch] = &order.Batch{Ref: line.Batch, SKU: line.SKU}
			}
		}
	}
	refs := slices.Sorted(maps.Keys(l.batches))
	if len(refs) == 0 {
		return
	}
	var skus []string
	var arrived, changes []bool
	var olds, facts []int64
	for _, ref := range refs {
		b := l.batches[ref]
		read, known := l.readFacts[ref]
		if !known {
			read = -1
		}
		skus, arrived, olds, facts, changes = append(skus, b.SKU), append(arrived, b.Arrived), append(olds, read), append(facts, b.Fact), append(changes, b.Fact != read)
	}
	to.Execute(`select save_batches($1, $2, $3, $4, $5, $6)`, refs, skus, arrived, olds, facts, changes)
}

func writeOrders(to *store.Pipeline, changed []*order.Order) {
	if len(changed) == 0 {
		return
	}
	var ids, phases []string
	var froms, placed []*time.Time
	for _, o := range changed {
		ids, phases, froms, placed = append(ids, o.ID), append(phases, o.Phase.String()), append(froms, optional(o.CountsFrom())), append(placed, optional(o.Placed))
	}
	to.Execute(`select save_orders($1, $2, $3, $4)`, ids, phases, froms, placed)
}

// lineRows are lines as arrays.
type lineRows struct {
	orders, ids, skus, states, batches []string
	ns                                 []int32
	qtys, facts                        []int64
	added, reserved                    []*time.Time
}

func (l *loaded) writeLines(to *store.Pipeline, changed []*order.Order) {
	var r lineRows
	for _, o := range changed {
		read := l.readOrders[o.ID].Lines
		for i := range o.Lines {
			if i >= len(read) || o.Lines[i] != read[i] {
				r.add(o, i)
			}
		}
	}
	if len(r.ids) > 0 {
		to.Execute(`select save_order_lines($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			r.orders, r.ids, r.ns, r.skus, r.qtys, r.states, r.batches, r.facts, r.added, r.reserved)
	}
}

func (r *lineRows) add(o *order.Order, i int) {
	line := &o.Lines[i]
	r.orders, r.ids, r.skus, r.states = append(r.orders, o.ID), append(r.ids, line.ID), append(r.skus, line.SKU), append(r.states, line.State.String())
	r.ns = append(r.ns, int32(i)+1) //nolint:gosec // order.MaxLines at most
	r.qtys, r.facts, r.batches = append(r.qtys, line.Qty), append(r.facts, line.Fact), append(r.batches, line.Batch)
	r.added, r.reserved = append(r.added, &line.Added), append(r.reserved, optional(line.Reserved))
}

// optional is nil for no time.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
