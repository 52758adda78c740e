package incident

import (
	"encoding/json"
	"errors"
	"fmt"

	"allocation/domain/product"
)

// Rewind takes a product back, event by event, from a state to an earlier one. An event's data and
// its note tell what was before, but for a batch's last revision and its last change: those are in
// the change before, which Find looks for.
type Rewind struct {
	sku     string
	version int64
	batches map[string]*rewound
	lines   map[product.LineID]*Line
	lacking int
}

// rewound is a batch, and what is not known of it at the moment.
type rewound struct {
	Batch
	revision, lastChange bool // not known
}

// NewRewind begins with a state. It needs the lines of the events that are undone, and those that
// are open.
func NewRewind(sku string, now *State) *Rewind {
	r := &Rewind{sku: sku, version: now.Version, batches: map[string]*rewound{}, lines: map[product.LineID]*Line{}}
	for _, b := range now.Batches {
		r.batches[b.Ref] = &rewound{Batch: b}
	}
	r.Add(now.Lines...)
	return r
}

// Add adds lines as they were at the beginning. Those that are known already stay.
func (r *Rewind) Add(lines ...Line) {
	for _, l := range lines {
		if id := r.id(&l); r.lines[id] == nil {
			r.lines[id] = &l
		}
	}
}

// Knows reports whether the line of an event is known.
func (r *Rewind) Knows(d *product.EventData) bool {
	return r.lines[lineID(d)] != nil
}

func (r *Rewind) id(l *Line) product.LineID {
	return product.LineID{SKU: r.sku, OrderID: l.OrderID, LineID: l.LineID}
}

func lineID(d *product.EventData) product.LineID {
	return product.LineID{SKU: d.SKU, OrderID: d.OrderID, LineID: d.LineID}
}

// Undo takes back the last event. commandID is the id of its command.
func (r *Rewind) Undo(e *Event, commandID string) error {
	d, err := product.ReadEventData(e.Data)
	switch {
	case err != nil:
		return fmt.Errorf("the data of event #%d is %s: %w", e.Sequence, e.Data, err)
	case e.Sequence != r.version:
		return fmt.Errorf("event #%d comes before version %d", e.Sequence, r.version)
	}
	r.version--
	if d.OrderID != "" {
		err = r.undoLine(e, &d)
	} else {
		err = r.undoBatch(e, &d, commandID)
	}
	if err != nil {
		return fmt.Errorf("event #%d (%s %s) cannot be undone: %w", e.Sequence, e.Type, e.Data, err)
	}
	return nil
}

func (r *Rewind) undoBatch(e *Event, d *product.EventData, commandID string) error {
	kind := product.EventType(e.Type)
	if kind == product.BatchCreated {
		b := r.batches[d.Ref]
		if b == nil || b.Qty != d.Qty || b.Allocated != 0 || b.ETA != d.ETA {
			return fmt.Errorf("the batch was not as created: %s", b)
		}
		r.known(&b.revision)
		r.known(&b.lastChange)
		delete(r.batches, d.Ref)
		return nil
	}
	b := r.batches[d.BatchRef]
	var note product.Note
	if err := json.Unmarshal(e.Note, &note); len(e.Note) > 0 && err != nil {
		return fmt.Errorf("its note is %s: %w", e.Note, err)
	}
	switch {
	case kind == product.BatchQuantityChanged && (b == nil || b.Qty != d.Qty):
		return fmt.Errorf("the batch was not as changed: %s", b)
	case kind == product.BatchEtaChanged && (b == nil || b.ETA != d.ETA):
		return fmt.Errorf("the batch was not as changed: %s", b)
	case kind == product.BatchQuantityChanged && note.WasQty != nil:
		r.found(b, d, commandID)
		r.lack(&b.lastChange)
		b.LastChange = ""
		if d.Revision != nil {
			r.lack(&b.revision)
			b.Revision = nil
		}
		b.Qty = *note.WasQty
		return nil
	case kind == product.BatchEtaChanged && note.WasETA != nil:
		b.ETA = string(*note.WasETA)
		return nil
	}
	return errors.New("what was before is not kept")
}

func (b *rewound) String() string {
	if b == nil {
		return "there is none"
	}
	text, _ := json.Marshal(b.Batch) // it has numbers and texts
	return string(text)
}

// Find looks in an event before the start for what is not known of its batch.
func (r *Rewind) Find(e *Event, commandID string) {
	d, err := product.ReadEventData(e.Data)
	kind := product.EventType(e.Type)
	if err != nil || kind != product.BatchQuantityChanged && kind != product.BatchCreated {
		return
	}
	if b := r.batches[d.BatchRef]; b != nil && kind == product.BatchQuantityChanged {
		r.found(b, &d, commandID)
	}
	if b := r.batches[d.Ref]; b != nil && kind == product.BatchCreated {
		r.known(&b.revision)
		r.known(&b.lastChange)
	}
}

// Lacks reports whether Find still has something to look for.
func (r *Rewind) Lacks() bool { return r.lacking > 0 }

// found learns from a change what it left.
func (r *Rewind) found(b *rewound, d *product.EventData, commandID string) {
	if b.lastChange {
		b.LastChange = commandID
		r.known(&b.lastChange)
	}
	if b.revision && d.Revision != nil {
		b.Revision = d.Revision
		r.known(&b.revision)
	}
}

func (r *Rewind) lack(what *bool) {
	if !*what {
		*what = true
		r.lacking++
	}
}

func (r *Rewind) known(what *bool) {
	if *what {
		*what = false
		r.lacking--
	}
}

// undoLine wants the line, and its batch, to be as the event left them.
func (r *Rewind) undoLine(e *Event, d *product.EventData) error {
	l := r.lines[lineID(d)]
	after, before := around(e, d)
	switch {
	case l == nil:
		return errors.New("there is no such line")
	case l.State != after || l.Qty != d.Qty:
		return fmt.Errorf("the line of %d was %s", l.Qty, l.State)
	case before == product.Allocated.String() && d.BatchRef == "":
		return errors.New("it has no batch")
	}
	if d.BatchRef != "" {
		b := r.batches[d.BatchRef]
		if b == nil {
			return fmt.Errorf("there is no batch %q", d.BatchRef)
		}
		switch product.EventType(e.Type) {
		case product.LineAllocated:
			b.Allocated -= d.Qty
		case product.LineDeallocated:
			b.Allocated += d.Qty
		case product.LineDispatched:
			b.Allocated, b.Qty = b.Allocated+d.Qty, b.Qty+d.Qty
		}
	}
	l.State, l.BatchRef = before, ""
	if before == product.Allocated.String() {
		l.BatchRef = d.BatchRef
	}
	if l.Placed == e.Sequence {
		delete(r.lines, lineID(d))
	}
	return nil
}

// around gives the states of a line after and before an event.
func around(e *Event, d *product.EventData) (after, before string) {
	waiting, allocated := product.Waiting.String(), product.Allocated.String()
	switch product.EventType(e.Type) {
	case product.LineAllocated:
		return allocated, waiting
	case product.LineOutOfStock:
		return waiting, waiting
	case product.LineDispatched:
		return product.Dispatched.String(), allocated
	case product.LineDeallocated:
		if d.Reason == product.DeallocatedBatchReduced {
			return waiting, allocated
		}
		if d.BatchRef == "" {
			return product.Cancelled.String(), waiting
		}
		return product.Cancelled.String(), allocated
	}
	return "", ""
}

// State is the product's, as far back as events were undone.
func (r *Rewind) State() *State {
	s := &State{Version: r.version, Batches: []Batch{}, Lines: []Line{}}
	for _, b := range r.batches {
		of := b.Batch
		if b.revision {
			of.Unknown = append(of.Unknown, "revision")
		}
		if b.lastChange {
			of.Unknown = append(of.Unknown, "last_change")
		}
		s.Batches = append(s.Batches, of)
	}
	for _, l := range r.lines {
		s.Lines = append(s.Lines, *l)
	}
	s.sort()
	return s
}
