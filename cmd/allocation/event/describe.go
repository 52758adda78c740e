// Package event says in words what the events of products mean.
package event

import (
	"fmt"
	"strings"

	"allocation/domain/product"
)

// Describe says what happened by an event's type and data.
func Describe(name string, data []byte) string {
	d, _ := product.ReadEventData(data) // what cannot be read stays empty
	switch product.EventType(name) {
	case product.BatchCreated:
		return fmt.Sprintf("batch %s of %d, %s", d.Ref, d.Qty, due(d.ETA))
	case product.BatchQuantityChanged:
		text := fmt.Sprintf("batch %s has %d now", d.BatchRef, d.Qty)
		if d.Revision != nil {
			text += fmt.Sprintf(" (revision %d)", *d.Revision)
		}
		return text
	case product.BatchEtaChanged:
		return fmt.Sprintf("batch %s is %s", d.BatchRef, due(d.ETA))
	case product.LineAllocated:
		return fmt.Sprintf("%s gets %d of batch %s", line(d), d.Qty, d.BatchRef)
	case product.LineDeallocated:
		return deallocated(d)
	case product.LineOutOfStock:
		return fmt.Sprintf("%s waits for %d", line(d), d.Qty)
	case product.LineDispatched:
		return fmt.Sprintf("%s left with %d of batch %s", line(d), d.Qty, d.BatchRef)
	case product.AllocationRejected:
		return fmt.Sprintf("%s asks for %d, which is rejected: %s", line(d), d.Qty, d.Reason)
	}
	return string(data)
}

func deallocated(d product.EventData) string {
	reason := strings.ReplaceAll(d.Reason, "_", " ")
	if d.BatchRef == "" {
		return fmt.Sprintf("%s no longer waits for %d: %s", line(d), d.Qty, reason)
	}
	return fmt.Sprintf("%s gives %d back to batch %s: %s", line(d), d.Qty, d.BatchRef, reason)
}

func line(d product.EventData) string {
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
