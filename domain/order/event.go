package order

// EventType is an event's name: public contract.
type EventType string

// The types of events.
const (
	CartLineAdded     EventType = "CartLineAdded"
	CartLineRemoved   EventType = "CartLineRemoved"  // by the customer, or as it expired
	CartLineRejected  EventType = "CartLineRejected" // by stock
	CartExpired       EventType = "CartExpired"
	OrderPlaced       EventType = "OrderPlaced"
	OrderReady        EventType = "OrderReady"
	OrderDispatched   EventType = "OrderDispatched"
	OrderCancelled    EventType = "OrderCancelled"
	CustomerBecameVIP EventType = "CustomerBecameVIP"
)

// Why an order was cancelled, or a line removed.
const (
	ReasonCustomer = "customer" // they said so
	ReasonEmpty    = "empty"    // no line was left
	ReasonExpired  = "expired"
)

// Event is something that happened to a customer's order. A field that a type does not have is
// zero.
type Event struct {
	Type EventType
	// Sequence counts the customer's events: 1, 2, 3 and so on.
	Sequence   int64
	CustomerID string
	OrderID    string
	// LineID, SKU and Qty are those of a line.
	LineID string
	SKU    string
	Qty    int64
	// Reason is why an order was cancelled, or a line removed or rejected.
	Reason string
	// Lines are those of OrderReady.
	Lines []PickLine
}

// PickLine is a line that the warehouse is to send, and from where.
type PickLine struct {
	SKU      string `json:"sku"`
	LineID   string `json:"lineid"`
	Qty      int64  `json:"qty"`
	BatchRef string `json:"batchref"`
	// Fact is the sequence of the Allocated that put the line onto the batch.
	Fact int64 `json:"fact"`
}

func ofLine(kind EventType, l *Line, reason string) Event {
	return Event{Type: kind, LineID: l.ID, SKU: l.SKU, Qty: l.Qty, Reason: reason}
}
