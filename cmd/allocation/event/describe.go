package event

import (
	"fmt"
	"strings"

	"allocation/domain"
)

// Describe says what happened by an event's type and data.
func Describe(name string, data []byte) string {
	d, _ := domain.ReadEventData(data) // what cannot be read stays empty
	switch domain.EventType(name) {
	case domain.BatchCreated:
		return fmt.Sprintf("batch %s of %d, %s", d.Ref, d.Qty, due(d.ETA))
	case domain.BatchQuantityChanged:
		text := fmt.Sprintf("batch %s has %d now", d.BatchRef, d.Qty)
		if d.Revision != nil {
			text += fmt.Sprintf(" (revision %d)", *d.Revision)
		}
		return text
	case domain.BatchEtaChanged:
		return fmt.Sprintf("batch %s is %s", d.BatchRef, due(d.ETA))
	case domain.LineAllocated:
		return fmt.Sprintf("%s gets %d of batch %s", line(d), d.Qty, d.BatchRef)
	case domain.LineDeallocated:
		return deallocated(d)
	case domain.LineOutOfStock:
		return fmt.Sprintf("%s waits for %d", line(d), d.Qty)
	case domain.LineDispatched:
		return fmt.Sprintf("%s left with %d of batch %s", line(d), d.Qty, d.BatchRef)
	case domain.AllocationRejected:
		return fmt.Sprintf("%s over %d rejected: %s", line(d), d.Qty, d.Reason)
	}
	return string(data)
}

func deallocated(d domain.EventData) string {
	reason := strings.ReplaceAll(d.Reason, "_", " ")
	if d.BatchRef == "" {
		return fmt.Sprintf("%s no longer waits for %d: %s", line(d), d.Qty, reason)
	}
	return fmt.Sprintf("%s gives %d back to batch %s: %s", line(d), d.Qty, d.BatchRef, reason)
}

func line(d domain.EventData) string {
	if d.LineID != "" {
		return fmt.Sprintf("order %s line %s", d.OrderID, d.LineID)
	}
	return "order " + d.OrderID
}

func due(eta string) string {
	if eta == "" {
		return "in the warehouse"
	}
	return "due " + eta
}
