package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"allocation/worker"
)

// poisonedStore does what nobody foresees with commands that ask for it in their data: it fails,
// ends the process, or takes too long.
type poisonedStore struct {
	worker.Store
}

// poisoned reports whether ALLOCATION_POISON=on. Without it, poison is a command like any other.
func poisoned() bool { return os.Getenv("ALLOCATION_POISON") == "on" }

// poisonStall is how long a command that takes too long takes.
const poisonStall = 2 * time.Second

// Apply does what the commands ask for, unless they are to be held.
func (s poisonedStore) Apply(ctx context.Context, transaction worker.Transaction) (worker.Applied, error) {
	for i := range transaction.Commands {
		c := &transaction.Commands[i]
		if c.Failure != "" || c.Parked != nil && c.Parked.Discard {
			continue
		}
		switch {
		case bytes.Contains(c.Data, []byte("poison-error")):
			return worker.Applied{}, errors.New("poisoned: it fails")
		case bytes.Contains(c.Data, []byte("poison-exit")):
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case bytes.Contains(c.Data, []byte("poison-stall")):
			select {
			case <-time.After(poisonStall):
			case <-ctx.Done():
			}
			return worker.Applied{}, errors.New("poisoned: it takes too long")
		}
	}
	return s.Store.Apply(ctx, transaction)
}
