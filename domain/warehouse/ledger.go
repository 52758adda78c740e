package warehouse

import (
	"slices"
	"strconv"
	"strings"
)

// Ledger is what the warehouse knows of an article, or of a customer whose orders it sends. The
// fields of the two are not the same, so an article may be called as a customer is. The zero Ledger
// is that of one that nothing happened to.
type Ledger struct {
	Fact    int64   `json:"fact,omitempty"`    // the sequence of the last event of stock about the article
	Last    int64   `json:"last,omitempty"`    // the number of the last shipment that was announced
	Batches []Batch `json:"batches,omitempty"` // those that are not over, in the order of their numbers
	Lines   []Line  `json:"lines,omitempty"`   // those that are on them, or announced ready
	Over    Over    `json:"over,omitzero"`

	Ready int64 `json:"ready,omitempty"` // the sequence of the customer's last OrderReady
}

// Line is a line of an order.
type Line struct {
	Order  string `json:"order"`
	ID     string `json:"id,omitempty"`
	Qty    int64  `json:"qty"`
	Batch  string `json:"batch,omitempty"`  // where stock has it; empty: on none that is known
	Ready  string `json:"ready,omitempty"`  // the batch from which it is to be picked; empty: it is not, or was
	Since  int64  `json:"since,omitempty"`  // Ledger.Fact as it was announced ready
	Picked bool   `json:"picked,omitempty"` // its Dispatch is on its way
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

// Free is what is in the warehouse or on its way, and stock has given to no line as far as is known.
func (l *Ledger) Free() (free int64) {
	for i := range l.Batches {
		free += l.Batches[i].Shelf()
	}
	for i := range l.Lines {
		if line := &l.Lines[i]; line.Batch != "" && !line.Picked {
			free -= line.Qty
		}
	}
	return free
}

// announced reports whether a batch is a shipment of the article that was announced.
func (l *Ledger) announced(sku, ref string) bool {
	number, is := strings.CutPrefix(ref, sku+".")
	shipment, err := strconv.ParseInt(number, 10, 64)
	return is && err == nil && shipment >= 1 && shipment <= l.Last
}

// line finds a line, and makes it where there is none.
func (l *Ledger) line(order, id string) *Line {
	i := slices.IndexFunc(l.Lines, func(line Line) bool { return line.Order == order && line.ID == id })
	if i < 0 {
		i = len(l.Lines)
		l.Lines = append(l.Lines, Line{Order: order, ID: id})
	}
	return &l.Lines[i]
}

// staleAfter is how many events of stock may come before the one that puts a line onto the batch
// that it was announced ready on. Where none did, the line was over before it was announced.
const staleAfter = 100_000

// tidy forgets lines that say nothing any more, and adds up batches that are over.
func (l *Ledger) tidy() {
	l.Lines = slices.DeleteFunc(l.Lines, func(line Line) bool {
		return line.Batch == "" && (line.Ready == "" || l.Fact > line.Since+staleAfter)
	})
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
