package worker

import (
	"fmt"
	"slices"

	"allocation/worker/cloudevents"
)

// Refusal says why a command cannot be applied.
type Refusal struct {
	Reason  string // a word of the specification
	Message string // a sentence for a person: field, value, what is allowed
}

// Reasons of commands that failed, and of record batches that were not unpacked.
const (
	ReasonInternal   = "internal"
	reasonTooLarge   = "too_large"
	reasonUnreadable = "unreadable"
)

// ReasonNewer is that of the dead letter of a command that waits for a newer worker.
const ReasonNewer = "newer_version"

// ReasonIDReused is that of a command to be done once under the id of another one.
const ReasonIDReused = "id_reused"

// typelessReasons are those of refusals whose command may have any type, or none.
var typelessReasons = []string{cloudevents.Malformed, cloudevents.UnknownType, reasonTooLarge, reasonUnreadable, ReasonInternal, ReasonNewer, ReasonIDReused}

// Reasons are those of the dead letters that come from here, whatever the commands are.
func Reasons() []string { return slices.Clone(typelessReasons) }

func (c *Command) refuse(reason, format string, args ...any) {
	c.Refusal = &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
