package product

import "encoding/json"

// Bounds of what notes keep.
const (
	maxPassedOver = 8
	maxLargest    = 3
	maxNotes      = 1000 // of one command: a change of a million lines would keep more than it does
)

// Note is what an event keeps for people who ask why. It is no part of its data.
type Note struct {
	// WasQty and WasETA are what a change of a batch's quantity or eta replaced. An ETA of "" is
	// the warehouse.
	WasQty *int64 `json:"was_qty,omitempty"`
	WasETA *Date  `json:"was_eta,omitempty"`
	// PassedOver are the open batches that come before a line's in preference, and had too little
	// for it: the first few, in order. A batch that comes before and is not among them was full.
	PassedOver []Offer `json:"passed_over,omitempty"`
	// Largest are the open batches that had most, where none had enough for a line.
	Largest []Offer `json:"largest,omitempty"`
	// More is how many other open batches had too little.
	More int `json:"more,omitempty"`
	// Partial says that there may be others: not all open batches were known.
	Partial bool `json:"partial,omitempty"`
}

// JSON is the note as it is kept; nil where there is none.
func (n *Note) JSON() json.RawMessage {
	if n == nil {
		return nil
	}
	text, _ := json.Marshal(n) // it has numbers and texts
	return text
}

// Offer is what a batch had available when a line was placed.
type Offer struct {
	Ref       string `json:"ref"`
	Available int64  `json:"available"`
	ETA       Date   `json:"eta,omitempty"`
}

func offerOf(b *batch) Offer { return Offer{Ref: b.Ref, Available: b.Available(), ETA: b.ETA} }

// passedOver notes the batches that come before one; nil where there are none.
func (o *openBatches) passedOver(taken *batch) *Note {
	n := Note{Partial: !o.covers(taken, 1)}
	for _, b := range o.list {
		switch {
		case ComparePreference(&b.Batch, &taken.Batch) >= 0:
			return noteOf(n)
		case len(n.PassedOver) < maxPassedOver:
			n.PassedOver = append(n.PassedOver, offerOf(b))
		default:
			n.More++
		}
	}
	return noteOf(n)
}

// largest notes the batches that have most, those preferred first where they have as much; nil
// where none has any.
func (o *openBatches) largest() *Note {
	var top []Offer
	for _, b := range o.list {
		at := len(top)
		for at > 0 && top[at-1].Available < b.Available() {
			at--
		}
		if at == maxLargest {
			continue
		}
		top = append(top[:at], append([]Offer{offerOf(b)}, top[at:]...)...)
		top = top[:min(len(top), maxLargest)]
	}
	return noteOf(Note{Largest: top, More: len(o.list) - len(top), Partial: o.rest > 0})
}

func noteOf(n Note) *Note {
	if len(n.PassedOver)+len(n.Largest) == 0 && !n.Partial {
		return nil
	}
	kept := n // a copy: the address of n itself would have it allocated also where nil is returned
	return &kept
}
