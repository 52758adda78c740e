package product

import "fmt"

// Reason is why a command was refused: a word of public contract.
type Reason string

// The reasons.
const (
	ReasonBatchConflict   Reason = "batch_conflict"
	ReasonUnknownBatch    Reason = "unknown_batch"
	ReasonSKUMismatch     Reason = "sku_mismatch"
	ReasonUnknownSKU      Reason = "unknown_sku"
	ReasonLineConflict    Reason = "line_conflict"
	ReasonLineCancelled   Reason = "line_cancelled"
	ReasonUnknownLine     Reason = "unknown_line"
	ReasonLineDispatched  Reason = "line_dispatched"
	ReasonLineWaiting     Reason = "line_waiting"
	ReasonBatchNotArrived Reason = "batch_not_arrived"
	ReasonMalformed       Reason = "malformed"
	ReasonUnknownType     Reason = "unknown_type"
)

// Reasons are all reasons.
var Reasons = []Reason{
	ReasonMalformed, ReasonUnknownType, ReasonUnknownBatch, ReasonUnknownSKU, ReasonUnknownLine, ReasonSKUMismatch, ReasonBatchConflict, ReasonBatchNotArrived,
	ReasonLineConflict, ReasonLineCancelled, ReasonLineDispatched, ReasonLineWaiting,
}

// Refusal is the answer to a command that cannot be done. It is no failure, and changes no state.
type Refusal struct {
	Reason Reason
	// Message is a sentence for a person: the field, its value, and what is allowed.
	Message string
}

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
