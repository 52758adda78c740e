package store

// What the engine's own tests look at, beside what it exports.
const (
	LockTimeout = lockTimeout
	CallTimeout = callTimeout
	UnblockSQL  = unblockSQL
	DaysAhead   = daysAhead
)

// IsLocked reports whether a lock was waited for in vain.
func IsLocked(err error) bool { return isLocked(err) }

// ListLettersSQL lists dead letters in states.
func ListLettersSQL(states ...string) string { return aboutStates(listLettersSQL, states) }

// LetterArgs are its arguments.
func LetterArgs(f LetterFilter, limit int, states ...string) []any { return f.args(states, limit) }
