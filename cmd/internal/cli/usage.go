package cli

import "fmt"

// usageError is a mistake of who called the program.
type usageError struct{ err error }

// Misuse is the error of a mistake of who called the program: the exit code says so.
func Misuse(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
