package dev

import (
	"path/filepath"
	"strings"

	"allocation/cmd/internal/cli"
)

// RunError says how a process ended that was to do something once.
type RunError struct {
	command []string
	printed string
	err     error
}

func (e *RunError) Error() string {
	words := append([]string{filepath.Base(e.command[0])}, e.command[1:]...)
	return cli.Quote(words...) + ": " + e.err.Error() + "\n" + strings.TrimSpace(e.printed)
}

func (e *RunError) Unwrap() error { return e.err }
