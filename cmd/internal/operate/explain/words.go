// Package explain says how a command, and what it changed, came to be as it is: what was done with
// it, when, by which worker, and why.
package explain

import (
	"context"

	"allocation/store"
)

// Words say what a service's events and commands mean.
type Words struct {
	Command func(*store.CauseView) string   // the name of the command that an event came from; empty where that cannot be told
	What    func(*store.EventView) string   // what happened
	Why     func(*store.EventView) []string // why its command decided so

	// Types has explain print the type of each event, which What does not say.
	Types bool

	// Harm says what a command takes away that others were promised, by how many events of each type
	// it has; nil: nothing. It may itself be nil.
	Harm func(byType map[string]int64) *Harm

	// Quiet says that a command without events may have changed something; empty: it changed nothing.
	Quiet string

	// Idle says more of a command without effect; it may be nil.
	Idle func(context.Context, *store.Store, *Explained) error
}

// Harm is what a command takes away that others were promised.
type Harm struct {
	Says   string           `json:"says"`
	Counts map[string]int64 `json:"counts"`
}
