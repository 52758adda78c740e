package product

// LineID identifies an order line. LineID.LineID is "" where the commands have none.
type LineID struct{ SKU, OrderID, LineID string }

// LineState is what has become of a line. The zero value is no state.
type LineState int

// The states. Cancelled and Dispatched are final.
const (
	Waiting LineState = iota + 1
	Allocated
	Cancelled
	Dispatched
)

// String is the state's name: "waiting", "allocated", "cancelled" or "dispatched".
func (s LineState) String() string {
	switch s {
	case Waiting:
		return "waiting"
	case Allocated:
		return "allocated"
	case Cancelled:
		return "cancelled"
	case Dispatched:
		return "dispatched"
	}
	return "unknown"
}

// Line is an order's demand for a quantity of one SKU.
type Line struct {
	ID  LineID
	Qty int64
	// Placed is the sequence of the line's first event. It never changes, and orders the lines of a
	// product.
	Placed int64
	State  LineState
	// BatchRef is the batch of an allocated line, and the one that a dispatched line left from;
	// else "".
	BatchRef string
}

// line is a Line that the catalog knows.
type line struct {
	Line
	fate fate
}

func placedFirst(a, b *line) bool { return a.Placed < b.Placed }
func placedLast(a, b *line) bool  { return a.Placed > b.Placed }

// fate is what became of a row since it was loaded.
type fate int

const (
	unchanged fate = iota
	created
	updated
)
