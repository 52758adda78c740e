package store

import "time"

// What the engine's own tests look at, beside what it exports.
const (
	LockTimeout = lockTimeout
	CallTimeout = callTimeout
	UnblockSQL  = unblockSQL
	DaysAhead   = daysAhead
)

// StartedBefore has a store's appliers remember the server as one that was started before.
func StartedBefore(s *Store) {
	for _, c := range s.caches.idle {
		c.server.started = c.server.started.Add(-time.Microsecond)
	}
}

// IsLocked reports whether a lock was waited for in vain.
func IsLocked(err error) bool { return isLocked(err) }

// ListLettersSQL lists dead letters in states.
func ListLettersSQL(states ...string) string { return aboutStates(listLettersSQL, states) }

// LetterArgs are its arguments.
func LetterArgs(f LetterFilter, limit int, states ...string) []any { return f.args(states, limit) }
