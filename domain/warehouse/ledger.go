package warehouse

import "slices"

// Ledger is what the warehouse knows of an article, or of a customer whose orders it sends. The
// fields of the two are not the same, so an article may be called as a customer is. The zero Ledger
// is that of one that nothing happened to.
type Ledger struct {
	Fact    int64    `json:"fact,omitempty"`    // the sequence of the last event of stock about the article
	Missed  int64    `json:"missed,omitempty"`  // how many of those before it never came
	Last    int64    `json:"last,omitempty"`    // the number of the last shipment that was announced
	Batches []Batch  `json:"batches,omitempty"` // those that are not over, in the order of their numbers
	Lines   []Line   `json:"lines,omitempty"`   // see Line
	Over    Over     `json:"over,omitzero"`
	Coming  []Coming `json:"coming,omitempty"`

	Ready int64 `json:"ready,omitempty"` // the sequence of the customer's last OrderReady
}

// Line is a line of an order. It is in the ledger while it is on one of its batches, or while the
// event is on its way that puts it onto one and by which it was announced ready.
//
// So of each batch there are at most Received - Shipped lines, since each takes at least one piece;
// somebody else's quantities apart. Of lines on none there are at most as many as the ledger is
// behind stock's events.
//
// A line on a batch is kept before it is announced, too. Its announcement says by which event it
// came there, but not that no later one took it away: such an event may have come long before. To
// keep the lines that were taken away instead would have no bound.
type Line struct {
	Order  string `json:"order"`
	ID     string `json:"id,omitempty"`
	Qty    int64  `json:"qty"`
	Batch  string `json:"batch,omitempty"`     // where stock has it; empty: on none that is known
	Fact   int64  `json:"fact,omitempty"`      // the sequence of the Allocated that put it there; 0: it is on none
	Ready  int64  `json:"announced,omitempty"` // the largest Fact with which it was announced ready; 0: it was not
	Picked bool   `json:"picked,omitempty"`    // its Dispatch is on its way
}

// Over adds up batches of which nothing is left.
type Over struct {
	Batches  int64 `json:"batches"`
	Received int64 `json:"received"`
	Lost     int64 `json:"lost"`
	Shipped  int64 `json:"shipped"`
}

// Batch is the batch of a reference; nil where there is none, or it is over.
func (l *Ledger) Batch(ref string) *Batch {
	if i := slices.IndexFunc(l.Batches, func(b Batch) bool { return b.Ref == ref }); i >= 0 {
		return &l.Batches[i]
	}
	return nil
}

// Free is what is in the warehouse or on its way, and stock has given to no line as far as is
// known.
func (l *Ledger) Free() (free int64) {
	for i := range l.Batches {
		free += l.Batches[i].Shelf()
	}
	for i := range l.Lines {
		if line := &l.Lines[i]; l.Batch(line.Batch) != nil && !line.Picked {
			free -= line.Qty
		}
	}
	return free
}

// announced reports whether a batch is a shipment of the article that was announced.
func (l *Ledger) announced(sku, ref string) bool {
	shipment := shipmentOf(sku, ref)
	return shipment >= 1 && shipment <= l.Last
}

// find finds a line; nil where there is none.
func (l *Ledger) find(order, id string) *Line {
	if i := slices.IndexFunc(l.Lines, func(line Line) bool { return line.Order == order && line.ID == id }); i >= 0 {
		return &l.Lines[i]
	}
	return nil
}

// line finds a line, and makes it where there is none.
func (l *Ledger) line(order, id string) *Line {
	if line := l.find(order, id); line != nil {
		return line
	}
	l.Lines = append(l.Lines, Line{Order: order, ID: id})
	return &l.Lines[len(l.Lines)-1]
}

// tidy forgets lines that are on no batch, unless the event is on its way by which one was
// announced ready, and adds up batches that are over.
func (l *Ledger) tidy() {
	l.Lines = slices.DeleteFunc(l.Lines, func(line Line) bool { return line.Batch == "" && line.Ready <= l.Fact })
	l.Batches = slices.DeleteFunc(l.Batches, func(b Batch) bool {
		if !b.over() {
			return false
		}
		l.Over.Batches++
		l.Over.Received += b.Received
		l.Over.Lost += b.Lost
		l.Over.Shipped += b.Shipped
		return true
	})
}
