package order

import (
	"strconv"
	"time"
)

// MaxLines is how many lines a cart takes, with those that were removed: each keeps its id.
const MaxLines = 200

// AddToCart puts an article into a cart, which it makes where there is none. Each time makes a
// line of its own. Refused with malformed where its record has no time that counts, cart_full,
// order_placed, order_ended.
type AddToCart struct {
	Of
	SKU string
	Qty int64
}

func (c AddToCart) decide(x *decider) {
	switch {
	case !x.timed():
		return
	case x.Order == nil:
		x.Order = &Order{ID: c.OrderID, Phase: Cart}
	case !x.isCart("takes no more lines"):
		return
	case len(x.Order.Lines) == MaxLines:
		x.refuse(ReasonCartFull, "the cart %q had %d lines; more are not allowed", c.OrderID, MaxLines)
		return
	}
	o := x.Order
	o.Lines = append(o.Lines, Line{ID: strconv.Itoa(len(o.Lines) + 1), SKU: c.SKU, Qty: c.Qty, State: Requested, Added: x.at})
	l := &o.Lines[len(o.Lines)-1]
	x.emit(ofLine(CartLineAdded, l, ""))
	x.ask(Allocate, l)
}

// isCart refuses what a cart only can take.
func (x *decider) isCart(what string) bool {
	switch {
	case x.Order.Phase == Cart:
		return true
	case x.Order.Phase.ended():
		x.refuse(ReasonOrderEnded, "the order %q is %s, and %s", x.Order.ID, x.Order.Phase, what)
	default:
		x.refuse(ReasonOrderPlaced, "the order %q is placed, and %s", x.Order.ID, what)
	}
	return false
}

// RemoveFromCart takes a line out of a cart. Removed before, or rejected, it has no effect,
// whatever became of the cart. Refused with unknown_cart, unknown_line, order_placed, order_ended.
type RemoveFromCart struct {
	Of
	SKU, LineID string
}

func (c RemoveFromCart) decide(x *decider) {
	if x.Order == nil {
		x.refuse(ReasonUnknownCart, "there is no cart %q", c.OrderID)
		return
	}
	switch l := x.Order.line(c.SKU, c.LineID); {
	case l != nil && !l.living():
	case !x.isCart("its lines stay"):
	case l == nil:
		x.refuse(ReasonUnknownLine, "the cart %q has no line %q of %q", c.OrderID, c.LineID, c.SKU)
	case l.open():
		x.drop(l)
		x.emit(ofLine(CartLineRemoved, l, ReasonCustomer))
	}
}

// ExpireCart takes out of a cart what its time has gone by for: a line that had a batch, by the
// time since it had its first; one that never had, with the cart, by the time since it was added.
// It has no effect where it is too early, or the cart was placed. Refused with malformed where its
// record has no time that counts.
type ExpireCart struct{ Of }

func (c ExpireCart) decide(x *decider) {
	if x.Order == nil || x.Order.Phase != Cart || !x.timed() {
		return
	}
	for i := range x.Order.Lines {
		if l := &x.Order.Lines[i]; l.open() && !l.Reserved.IsZero() && x.isOver(l) {
			x.drop(l)
			x.emit(ofLine(CartLineRemoved, l, ReasonExpired))
		}
	}
	if x.Order.count(func(l *Line) bool { return l.open() && !x.isOver(l) }) > 0 {
		return
	}
	for i := range x.Order.Lines {
		if l := &x.Order.Lines[i]; l.open() {
			x.drop(l)
			x.emit(ofLine(CartLineRemoved, l, ReasonExpired))
		}
	}
	if len(x.d.Events) > 0 {
		x.Order.Phase = Expired
		x.emit(Event{Type: CartExpired})
	}
}

// isOver reports whether a line's time has gone by.
func (x *decider) isOver(l *Line) bool {
	from := l.Reserved
	if from.IsZero() {
		from = l.Added
	}
	return !x.at.Before(from.Add(x.CartTime))
}

// CountsFrom is since when the time counts after which ExpireCart takes something out of a cart;
// zero where nothing of it ever expires.
func (o *Order) CountsFrom() (from time.Time) {
	if o.Phase != Cart {
		return from
	}
	var reserved time.Time
	for i := range o.Lines {
		switch l := &o.Lines[i]; {
		case !l.open():
		case l.Reserved.IsZero():
			if l.Added.After(from) {
				from = l.Added // the last of those that go with the cart
			}
		case reserved.IsZero() || l.Reserved.Before(reserved):
			reserved = l.Reserved
		}
	}
	if !reserved.IsZero() {
		return reserved
	}
	return from
}
