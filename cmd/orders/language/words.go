package language

import (
	"fmt"
	"slices"
	"strings"

	"allocation/cmd/internal/operate/explain"
	"allocation/domain/order"
	"allocation/store"
)

// Words say what the service's events mean.
var Words = explain.Words{
	Command: command, What: what, Types: true, Why: func(*store.EventView) []string { return nil },
	Quiet: "what orders keeps may have changed all the same",
}

// command is the name of the command that an event came from; empty where that may be a fact.
func command(c *store.CauseView) string {
	d, _ := order.ReadData(c.First.Data) // what cannot be read stays empty
	switch order.EventType(c.First.Type) {
	case order.CartLineAdded:
		return "AddToCart"
	case order.OrderPlaced:
		return "PlaceOrder"
	case order.CartLineRemoved:
		if d.Reason == order.ReasonExpired {
			return "ExpireCart"
		}
		return "RemoveFromCart"
	}
	return ""
}

// what says what happened.
func what(e *store.EventView) string {
	d, err := order.ReadData(e.Data)
	if err != nil {
		return string(e.Data)
	}
	var parts []string
	if d.LineID != "" {
		part := fmt.Sprintf("line %s, %d of %s", d.LineID, d.Qty, d.SKU)
		if d.Qty == 0 { // of Deallocate
			part = fmt.Sprintf("line %s of %s", d.LineID, d.SKU)
		}
		parts = append(parts, part)
	}
	for _, l := range d.Lines {
		parts = append(parts, fmt.Sprintf("line %s, %d of %s from batch %s", l.LineID, l.Qty, l.SKU, l.BatchRef))
	}
	if d.Reason != "" {
		parts = append(parts, "because of: "+d.Reason)
	}
	switch {
	case d.OrderID == "":
		return "batch " + d.BatchRef
	case len(parts) == 0:
		return "order " + d.OrderID
	}
	return "order " + d.OrderID + ": " + strings.Join(parts, "; ")
}

// Discarded says what comes of it where an event of stock is discarded, or a command that the
// service sent to itself.
func Discarded(l *store.Letter) string {
	switch {
	case strings.HasPrefix(l.Type, "Review"):
		return "without " + l.Type + ", an order may not hear that its goods are there: send it again (orders send " + l.Type + ")"
	case l.Reason == string(order.ReasonUnknownType) || !slices.Contains(order.FactNames(), l.Type):
		return ""
	case strings.HasPrefix(l.Type, "Batch"):
		return "without " + l.Type + ", orders go by what they knew of the batch: they may wait for it for ever, or be announced too early"
	}
	return "without " + l.Type + ", the order stays as it is, perhaps open for ever: compare its lines with stock's"
}
