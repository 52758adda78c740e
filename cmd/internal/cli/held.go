package cli

import (
	"time"

	"allocation/store"
)

// HeldText says what a held key waits for: the state of its dead letter, or a newer worker.
func HeldText(h *store.HeldKey) string {
	if h.WaitsUntil != nil {
		return WaitsText(*h.WaitsUntil)
	}
	return h.State
}

// WaitsText says of a command how long it waits for a worker that knows its type.
func WaitsText(until time.Time) string { return "waits for a newer worker until " + When(until) }
