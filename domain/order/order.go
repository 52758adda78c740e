package order

import "time"

// Phase is how far an order is.
type Phase uint8

// The phases, in their order.
const (
	Cart       Phase = iota + 1 // it is not placed, and its lines expire
	Placed                      // it waits for its goods
	Ready                       // all its lines are on batches that have arrived, and the warehouse was told so
	Dispatched                  // all its lines left
	Cancelled                   // by the customer, or since no line was left
	Expired                     // a cart whose lines all expired
)

var phases = [...]string{Cart: "cart", Placed: "placed", Ready: "ready", Dispatched: "dispatched", Cancelled: "cancelled", Expired: "expired"}

func (p Phase) String() string { return phases[p] }

// ended reports whether nothing is wanted of stock any more.
func (p Phase) ended() bool { return p >= Dispatched }

// Order is a cart, and later an order.
type Order struct {
	ID    string
	Phase Phase
	// Placed is the time of the command that placed it; zero: it was not.
	Placed time.Time
	// Lines in the order in which they were added.
	Lines []Line
}

// LineState is how a line stands.
type LineState uint8

// The states of lines.
const (
	Requested LineState = iota + 1 // stock was asked, and has not answered
	Waiting                        // stock has none
	Reserved                       // it has a batch
	Left                           // its goods were dispatched
	Removed                        // by the customer, with the order, or by time
	Rejected                       // stock refused it
)

var lineStates = [...]string{
	Requested: "requested", Waiting: "waiting", Reserved: "reserved", Left: "dispatched", Removed: "removed", Rejected: "rejected",
}

func (s LineState) String() string { return lineStates[s] }

// Line is an article of an order. Stock calls it by the order, the SKU and this id.
type Line struct {
	ID    string
	SKU   string
	Qty   int64
	State LineState
	// Batch is that of a line that is reserved or has left.
	Batch string
	// Fact is the sequence of the last fact that was applied; 0: none was.
	Fact int64
	// Added is the time of the command that added it.
	Added time.Time
	// Reserved is the time of its first batch, zero where it had none. Later ones leave it. Where the
	// record of the fact has no time that counts, it is that of Added.
	Reserved time.Time
}

// open reports whether the line is still wanted: not removed, rejected or dispatched.
func (l *Line) open() bool { return l.State <= Reserved }

// living reports whether the line is a part of what the customer gets.
func (l *Line) living() bool { return l.State <= Left }

func (o *Order) line(sku, id string) *Line {
	for i := range o.Lines {
		if l := &o.Lines[i]; l.ID == id && l.SKU == sku {
			return l
		}
	}
	return nil
}

// count is how many lines are so.
func (o *Order) count(is func(*Line) bool) (n int) {
	for i := range o.Lines {
		if is(&o.Lines[i]) {
			n++
		}
	}
	return n
}

// Batch is what is known of a batch of stock.
type Batch struct {
	Ref string
	SKU string
	// Arrived says that it is in the warehouse.
	Arrived bool
	// Fact is the sequence of the last fact that was applied.
	Fact int64
}
