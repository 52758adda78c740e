package domain_test

import (
	"slices"

	"allocation/domain"
)

// model is the specification written down as plainly as possible: everything in slices, every
// waiting line offered to every batch after every command.
type model struct {
	versions map[string]int64
	batches  []*domain.Batch
	lines    []*domain.Line // in placed order, of all products
}

func newModel() *model {
	return &model{versions: map[string]int64{}}
}

func (m *model) batch(ref string) *domain.Batch {
	for _, b := range m.batches {
		if b.Ref == ref {
			return b
		}
	}
	return nil
}

func (m *model) line(id domain.LineID) *domain.Line {
	for _, l := range m.lines {
		if l.ID == id {
			return l
		}
	}
	return nil
}

// preferred is the product's batches in order of preference.
func (m *model) preferred(sku string) (batches []*domain.Batch) {
	for _, b := range m.batches {
		if b.SKU == sku {
			batches = append(batches, b)
		}
	}
	slices.SortFunc(batches, func(a, b *domain.Batch) int {
		switch {
		case a.ETA < b.ETA, a.ETA == b.ETA && a.Ref < b.Ref:
			return -1
		}
		return 1
	})
	return batches
}

// apply gives the reason of a refusal, or "", and the events.
func (m *model) apply(cmd domain.Command, id string) (domain.Reason, []domain.Event) {
	switch cmd := cmd.(type) {
	case domain.CreateBatch:
		return m.createBatch(cmd)
	case domain.ChangeBatchQuantity:
		return m.changeBatchQuantity(cmd, id)
	case domain.ChangeBatchEta:
		return m.changeBatchEta(cmd)
	case domain.Allocate:
		return m.allocate(cmd)
	case domain.Deallocate:
		return m.deallocate(cmd)
	case domain.Dispatch:
		return m.dispatch(cmd)
	}
	panic("unknown command")
}

func (m *model) createBatch(cmd domain.CreateBatch) (domain.Reason, []domain.Event) {
	if b := m.batch(cmd.Ref); b != nil {
		if b.SKU == cmd.SKU && b.FirstQty == cmd.Qty && b.FirstETA == cmd.ETA {
			return "", nil
		}
		return "batch_conflict", nil
	}
	m.batches = append(m.batches, &domain.Batch{
		Ref: cmd.Ref, SKU: cmd.SKU, Qty: cmd.Qty, ETA: cmd.ETA, FirstQty: cmd.Qty, FirstETA: cmd.ETA, Revision: -1,
	})
	return "", m.serve(cmd.SKU, nil, domain.Event{
		Type: "BatchCreated", SKU: cmd.SKU, BatchRef: cmd.Ref, Qty: cmd.Qty, ETA: cmd.ETA,
	})
}

func (m *model) changeBatchQuantity(cmd domain.ChangeBatchQuantity, id string) (domain.Reason, []domain.Event) {
	b := m.batch(cmd.BatchRef)
	switch {
	case b == nil:
		return "unknown_batch", nil
	case cmd.SKU != "" && cmd.SKU != b.SKU:
		return "sku_mismatch", nil
	case cmd.Revision >= 0 && cmd.Revision <= b.Revision:
		return "", nil
	case cmd.Revision < 0 && (cmd.Qty == b.Qty || id != "" && id == b.LastChange):
		return "", nil
	}
	b.Qty, b.LastChange = cmd.Qty, id
	if cmd.Revision >= 0 {
		b.Revision = cmd.Revision
	}
	var released []*domain.Line
	for b.Qty < b.Allocated {
		last := -1
		for i, l := range m.lines {
			if l.State == domain.Allocated && l.BatchRef == b.Ref {
				last = i
			}
		}
		l := m.lines[last]
		b.Allocated -= l.Qty
		l.State, l.BatchRef = domain.Waiting, ""
		released = append([]*domain.Line{l}, released...)
	}
	return "", m.serve(b.SKU, released, domain.Event{
		Type: "BatchQuantityChanged", SKU: b.SKU, BatchRef: b.Ref, Qty: cmd.Qty, Revision: cmd.Revision,
	})
}

func (m *model) changeBatchEta(cmd domain.ChangeBatchEta) (domain.Reason, []domain.Event) {
	b := m.batch(cmd.BatchRef)
	switch {
	case b == nil:
		return "unknown_batch", nil
	case cmd.SKU != "" && cmd.SKU != b.SKU:
		return "sku_mismatch", nil
	case b.ETA == cmd.ETA:
		return "", nil
	}
	b.ETA = cmd.ETA
	return "", m.serve(b.SKU, nil, domain.Event{Type: "BatchEtaChanged", SKU: b.SKU, BatchRef: b.Ref, ETA: cmd.ETA})
}

func (m *model) allocate(cmd domain.Allocate) (domain.Reason, []domain.Event) {
	reject := func(reason domain.Reason) (domain.Reason, []domain.Event) {
		return reason, []domain.Event{{
			Type: "AllocationRejected", SKU: cmd.Line.SKU, Line: cmd.Line, Qty: cmd.Qty, Reason: string(reason),
		}}
	}
	l := m.line(cmd.Line)
	switch {
	case m.versions[cmd.Line.SKU] == 0:
		return reject("unknown_sku")
	case l != nil && l.Qty != cmd.Qty:
		return reject("line_conflict")
	case l != nil && l.State == domain.Cancelled:
		return reject("line_cancelled")
	case l != nil:
		return "", nil
	}
	l = &domain.Line{ID: cmd.Line, Qty: cmd.Qty, Placed: m.versions[cmd.Line.SKU] + 1, State: domain.Waiting}
	m.lines = append(m.lines, l)
	events := m.serve(cmd.Line.SKU, nil)
	if len(events) == 0 {
		events = []domain.Event{m.emit(domain.Event{Type: "OutOfStock", SKU: l.ID.SKU, Line: l.ID, Qty: l.Qty})}
	}
	return "", events
}

func (m *model) deallocate(cmd domain.Deallocate) (domain.Reason, []domain.Event) {
	l := m.line(cmd.Line)
	switch {
	case l == nil:
		return "unknown_line", nil
	case l.State == domain.Dispatched:
		return "line_dispatched", nil
	case l.State == domain.Cancelled:
		return "", nil
	}
	ref := l.BatchRef
	if ref != "" {
		m.batch(ref).Allocated -= l.Qty
	}
	l.State, l.BatchRef = domain.Cancelled, ""
	return "", m.serve(l.ID.SKU, nil, domain.Event{
		Type: "Deallocated", SKU: l.ID.SKU, Line: l.ID, Qty: l.Qty, BatchRef: ref, Reason: "cancelled",
	})
}

func (m *model) dispatch(cmd domain.Dispatch) (domain.Reason, []domain.Event) {
	l := m.line(cmd.Line)
	switch {
	case l == nil:
		return "unknown_line", nil
	case l.State == domain.Waiting:
		return "line_waiting", nil
	case l.State == domain.Cancelled:
		return "line_cancelled", nil
	case l.State == domain.Dispatched:
		return "", nil
	}
	b := m.batch(l.BatchRef)
	if b.ETA != "" {
		return "batch_not_arrived", nil
	}
	l.State = domain.Dispatched
	b.Qty -= l.Qty
	b.Allocated -= l.Qty
	return "", m.serve(b.SKU, nil, domain.Event{
		Type: "Dispatched", SKU: l.ID.SKU, Line: l.ID, Qty: l.Qty, BatchRef: l.BatchRef,
	})
}

// serve offers every waiting line to every batch. It gives the command's own events, and what
// became of the lines: released are those that were on the batch from until now.
func (m *model) serve(sku string, released []*domain.Line, own ...domain.Event) (events []domain.Event) {
	from := ""
	for _, e := range own {
		from = e.BatchRef
		events = append(events, m.emit(e))
	}
	served := map[domain.LineID]bool{}
	for _, l := range m.lines {
		for _, b := range m.preferred(sku) {
			if l.ID.SKU == sku && l.State == domain.Waiting && b.Qty-b.Allocated >= l.Qty {
				b.Allocated += l.Qty
				l.State, l.BatchRef = domain.Allocated, b.Ref
				served[l.ID] = true
			}
		}
	}
	for _, l := range released {
		if l.BatchRef != from {
			events = append(events, m.emit(domain.Event{
				Type: "Deallocated", SKU: sku, Line: l.ID, Qty: l.Qty, BatchRef: from, Reason: "batch_reduced",
			}))
		}
	}
	for _, l := range m.lines {
		wasReleased := slices.Contains(released, l)
		switch {
		case wasReleased && l.BatchRef == from:
		case wasReleased && l.State == domain.Waiting:
			events = append(events, m.emit(domain.Event{Type: "OutOfStock", SKU: sku, Line: l.ID, Qty: l.Qty}))
		case served[l.ID]:
			events = append(events, m.emit(domain.Event{
				Type: "Allocated", SKU: sku, Line: l.ID, Qty: l.Qty, BatchRef: l.BatchRef,
			}))
		}
	}
	return events
}

func (m *model) emit(e domain.Event) domain.Event {
	m.versions[e.SKU]++
	e.Sequence = m.versions[e.SKU]
	return e
}
