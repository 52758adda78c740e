package order

import "fmt"

// Reason is why a command was refused: a word of public contract.
type Reason string

// The reasons.
const (
	ReasonMalformed   Reason = "malformed"
	ReasonUnknownType Reason = "unknown_type"
	ReasonUnknownCart Reason = "unknown_cart"
	ReasonUnknownLine Reason = "unknown_line"
	ReasonCartFull    Reason = "cart_full"
	ReasonCartEmpty   Reason = "cart_empty"
	ReasonOrderPlaced Reason = "order_placed"
	ReasonOrderEnded  Reason = "order_ended"
	ReasonOnItsWay    Reason = "on_its_way"
)

// Reasons are all of them, for which commands are refused.
var Reasons = []Reason{
	ReasonMalformed, ReasonUnknownType, ReasonUnknownCart, ReasonUnknownLine, ReasonCartFull, ReasonCartEmpty, ReasonOrderPlaced, ReasonOrderEnded, ReasonOnItsWay,
}

// Refusal is the answer to a command that cannot be done. It is no failure, and changes no state.
type Refusal struct {
	Reason Reason
	// Message is a sentence for a person: the field, its value, and what is allowed.
	Message string
}

func (x *decider) refuse(reason Reason, format string, args ...any) {
	x.d.Refusal = &Refusal{reason, fmt.Sprintf(format, args...)}
}
