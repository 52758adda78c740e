package product

// EventType is an event's name: public contract.
type EventType string

// The types of events.
const (
	BatchCreated         EventType = "BatchCreated"
	BatchQuantityChanged EventType = "BatchQuantityChanged"
	BatchEtaChanged      EventType = "BatchEtaChanged"
	LineAllocated        EventType = "Allocated"
	LineDeallocated      EventType = "Deallocated"
	LineOutOfStock       EventType = "OutOfStock"
	LineDispatched       EventType = "Dispatched"
	AllocationRejected   EventType = "AllocationRejected"
)

// EventNames are the names of all events.
func EventNames() []string {
	return []string{
		string(BatchCreated), string(BatchQuantityChanged), string(BatchEtaChanged), string(LineAllocated),
		string(LineDeallocated), string(LineOutOfStock), string(LineDispatched), string(AllocationRejected),
	}
}

// Why a line was deallocated.
const (
	DeallocatedCancelled    = "cancelled"
	DeallocatedBatchReduced = "batch_reduced"
)

// Event is something that happened to a product. One struct serves all types; a field that a type
// does not have is zero.
type Event struct {
	Type EventType
	// Sequence is the product's version with this event: 1, 2, 3 and so on. AllocationRejected has
	// none, 0.
	Sequence int64
	SKU      string
	// BatchRef is the event's batch, "" where a line had none.
	BatchRef string
	// Line is the event's line, the zero LineID in events of a batch.
	Line LineID
	// Qty is the line's or the batch's quantity.
	Qty int64
	ETA Date
	// Revision is that of BatchQuantityChanged, NoRevision where the command had none.
	Revision int64
	// Reason is why a line was deallocated or refused.
	Reason string
	// Note is what is kept beside the data; nil: nothing.
	Note *Note
}

// Subject is what the event is about: the order, else the batch.
func (e Event) Subject() string {
	if e.Line.OrderID != "" {
		return e.Line.OrderID
	}
	return e.BatchRef
}

// ofLine makes an event of a line.
func ofLine(kind EventType, l *line, batchRef string) Event {
	return Event{Type: kind, SKU: l.ID.SKU, Line: l.ID, Qty: l.Qty, BatchRef: batchRef}
}
