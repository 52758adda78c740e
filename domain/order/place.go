package order

// PlaceOrder makes a cart an order. Its lines may still wait. Placed before, it has no effect,
// whatever became of the order. Refused with unknown_cart, cart_empty, order_ended (a cart that was
// cancelled or expired), malformed where its record has no time that counts.
type PlaceOrder struct{ Of }

func (c PlaceOrder) decide(x *decider) {
	switch {
	case x.Order == nil:
		x.refuse(ReasonUnknownCart, "there is no cart %q", c.OrderID)
	case !x.Order.Placed.IsZero():
	case x.Order.Phase.ended():
		x.refuse(ReasonOrderEnded, "the cart %q is %s, and cannot be placed", c.OrderID, x.Order.Phase)
	case x.Order.count((*Line).living) == 0:
		x.refuse(ReasonCartEmpty, "the cart %q has no lines", c.OrderID)
	case x.timed():
		x.place()
	}
}

func (x *decider) place() {
	x.Order.Phase, x.Order.Placed = Placed, x.at
	x.Customer.Placed++
	x.emit(Event{Type: OrderPlaced})
	if x.Customer.Placed == VIPFrom {
		x.emit(Event{Type: CustomerBecameVIP})
	}
	x.settle()
}

// CancelOrder ends an order, or a cart, until its first line has left. Cancelled before, it has no
// effect. Refused with unknown_cart, on_its_way, order_ended (expired).
type CancelOrder struct{ Of }

func (c CancelOrder) decide(x *decider) {
	switch {
	case x.Order == nil:
		x.refuse(ReasonUnknownCart, "there is no order %q", c.OrderID)
	case x.Order.Phase == Cancelled:
	case x.Order.Phase == Expired:
		x.refuse(ReasonOrderEnded, "the cart %q is expired, and cannot be cancelled", c.OrderID)
	case x.Order.count(func(l *Line) bool { return l.State == Left }) > 0:
		x.refuse(ReasonOnItsWay, "of the order %q a line has left already; it cannot be cancelled", c.OrderID)
	default:
		x.cancel(ReasonCustomer)
	}
}

// ReviewPage is how many orders of a batch are looked at again at once.
const ReviewPage = 100

// ReviewBatch has the orders of a batch looked at again, as it may have arrived: a page of them,
// and then those behind it.
type ReviewBatch struct {
	BatchRef string
	After    string // the last order of the page before; empty: there was none
}

// Keys are the batch.
func (c ReviewBatch) Keys() Keys { return Keys{Batch: c.BatchRef} }

func (c ReviewBatch) decide(x *decider) {
	x.d.Orders = x.OnBatch
	if n := len(x.OnBatch); n == ReviewPage {
		x.d.Review = &ReviewBatch{c.BatchRef, x.OnBatch[n-1]}
	}
}

// ReviewOrder looks again at an order: one of its batches may have arrived, or a fact came before
// its line. What is ready is announced once more. Its batch may have gone and come again meanwhile,
// and stock refuses to dispatch from one that is gone, which brings no fact.
type ReviewOrder struct{ Of }

func (ReviewOrder) decide(x *decider) {
	if x.Order == nil {
		return
	}
	if x.Order.Phase == Ready {
		x.Order.Phase = Placed
	}
	x.takeEarly()
	x.settle()
}
