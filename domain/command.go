package domain

// MaxQuantity is the largest quantity of a batch or a line.
const MaxQuantity int64 = 1_000_000_000

// Command is something that someone wants of a product. DecodeCommand gives only valid ones; whoever makes one by hand
// keeps to the limits of DecodeCommand.
type Command interface {
	// Name is the command's name: "CreateBatch" and so on.
	Name() string
	// apply decides the command and, unless it needs more, carries it out.
	apply(c *Catalog, commandID string) Result
	// expect adds to n what deciding will most likely need.
	expect(n *Need)
}

// CreateBatch adds a batch, and its product if that is new. Applied before with the same content, it has no effect.
// Refused with batch_conflict.
type CreateBatch struct {
	Ref, SKU string
	Qty      int64
	ETA      Date
}

// ChangeBatchQuantity sets a batch's quantity, and releases the last placed lines that it no longer holds.
// Refused with unknown_batch, sku_mismatch.
type ChangeBatchQuantity struct {
	BatchRef string
	// SKU, unless "", must be the batch's.
	SKU string
	Qty int64
	// Revision, unless NoRevision, must be above the last one seen, or the command is stale and has no effect.
	Revision int64
}

// ChangeBatchEta sets when a batch is due; "" says that it has arrived. Refused with unknown_batch, sku_mismatch.
type ChangeBatchEta struct {
	BatchRef string
	// SKU, unless "", must be the batch's.
	SKU string
	ETA Date
}

// Allocate places an order line, on a batch or in the queue. Placed before with the same quantity, and not cancelled,
// it has no effect. Refused with unknown_sku, line_conflict, line_cancelled.
type Allocate struct {
	Line LineID
	Qty  int64
}

// Deallocate cancels a line. Cancelled before, it has no effect. Refused with unknown_line, line_dispatched.
type Deallocate struct{ Line LineID }

// Dispatch closes a line whose goods left. Dispatched before, it has no effect. Refused with unknown_line,
// line_waiting, line_cancelled, batch_not_arrived.
type Dispatch struct{ Line LineID }

// The names, as they stand in a message's type.
const (
	nameCreateBatch         = "CreateBatch"
	nameChangeBatchQuantity = "ChangeBatchQuantity"
	nameChangeBatchEta      = "ChangeBatchEta"
	nameAllocate            = "Allocate"
	nameDeallocate          = "Deallocate"
	nameDispatch            = "Dispatch"
)

// Name is "CreateBatch".
func (CreateBatch) Name() string { return nameCreateBatch }

// Name is "ChangeBatchQuantity".
func (ChangeBatchQuantity) Name() string { return nameChangeBatchQuantity }

// Name is "ChangeBatchEta".
func (ChangeBatchEta) Name() string { return nameChangeBatchEta }

// Name is "Allocate".
func (Allocate) Name() string { return nameAllocate }

// Name is "Deallocate".
func (Deallocate) Name() string { return nameDeallocate }

// Name is "Dispatch".
func (Dispatch) Name() string { return nameDispatch }
