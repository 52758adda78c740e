package incident

import (
	"encoding/json"
	"time"

	"allocation/domain/product"
)

// Format names the format of files.
const Format = "allocation.incident.v1"

// Product is what happened to one product, without its commands.
type Product struct {
	SKU     string     `json:"sku"`
	Since   *time.Time `json:"since,omitempty"` // when the first command was committed that changed something
	Version int64      `json:"version"`         // after the last command
	Start   *State     `json:"start"`           // before the first command
	LeftOut int64      `json:"left_out,omitempty"`
}

// State is a product at a moment. Of its closed lines it has those that commands name.
type State struct {
	Version int64   `json:"version"`
	Batches []Batch `json:"batches"`
	Lines   []Line  `json:"lines"`
}

// Batch is a batch at a moment.
type Batch struct {
	Ref        string `json:"ref"`
	SKU        string `json:"sku,omitempty"` // where it is another product's
	Qty        int64  `json:"qty"`
	Allocated  int64  `json:"allocated"`
	ETA        string `json:"eta,omitempty"`
	FirstQty   int64  `json:"first_qty"`
	FirstETA   string `json:"first_eta,omitempty"`
	Revision   *int64 `json:"revision,omitempty"`
	LastChange string `json:"last_change,omitempty"` // the id of the last command that changed its quantity

	// Unknown are fields whose value at that moment is no longer kept. They are empty.
	Unknown []string `json:"unknown,omitempty"`
}

// Line is an order line at a moment.
type Line struct {
	OrderID  string `json:"orderid"`
	LineID   string `json:"lineid,omitempty"`
	Qty      int64  `json:"qty"`
	State    string `json:"state"`
	BatchRef string `json:"batchref,omitempty"`
	Placed   int64  `json:"placed"`
}

// Command is a command, and what it came to.
type Command struct {
	Type        string          `json:"type"`
	Data        json.RawMessage `json:"data"`
	Position    string          `json:"position"`
	Time        *time.Time      `json:"time,omitempty"` // of its record
	ID          string          `json:"id,omitempty"`
	Correlation string          `json:"correlation,omitempty"`
	Committed   *time.Time      `json:"committed,omitempty"`

	// ByTime says that its place among commands of other partitions is told by the clock alone.
	ByTime bool `json:"placed_by_time,omitempty"`
	// OtherBatch is the batch that it names, where that is another product's.
	OtherBatch *Batch `json:"other_batch,omitempty"`

	Outcome
}

// Outcome is what a command came to.
type Outcome struct {
	Result  string  `json:"result"`
	Reason  string  `json:"reason,omitempty"`  // of a refusal
	Message string  `json:"message,omitempty"` // of a refusal, for people
	Events  []Event `json:"events,omitempty"`
}

// Event is an event of a command.
type Event struct {
	Type     string          `json:"type"`
	Sequence int64           `json:"sequence,omitempty"`
	Data     json.RawMessage `json:"data"`
	Note     json.RawMessage `json:"note,omitempty"`
}

// What a command comes to.
const (
	Changed  = "changed"
	NoEffect = "no_effect"
	Refused  = "refused"
)

// batch is the domain's.
func (b *Batch) batch(sku string) product.Batch {
	if b.SKU != "" {
		sku = b.SKU
	}
	revision := product.NoRevision
	if b.Revision != nil {
		revision = *b.Revision
	}
	return product.Batch{
		Ref: b.Ref, SKU: sku, Qty: b.Qty, Allocated: b.Allocated, ETA: product.Date(b.ETA),
		FirstQty: b.FirstQty, FirstETA: product.Date(b.FirstETA), Revision: revision, LastChange: b.LastChange,
	}
}

// BatchOf is a batch as a file has it.
func BatchOf(b *product.Batch) Batch {
	of := Batch{
		Ref: b.Ref, Qty: b.Qty, Allocated: b.Allocated, ETA: string(b.ETA),
		FirstQty: b.FirstQty, FirstETA: string(b.FirstETA), LastChange: b.LastChange,
	}
	if revision := b.Revision; revision != product.NoRevision {
		of.Revision = &revision
	}
	return of
}

// LineOf is a line as a file has it.
func LineOf(l *product.Line) Line {
	return Line{OrderID: l.ID.OrderID, LineID: l.ID.LineID, Qty: l.Qty, State: l.State.String(), BatchRef: l.BatchRef, Placed: l.Placed}
}
