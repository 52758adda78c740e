package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"allocation/worker"
)

// poisonedStore does what nobody foresees with commands that ask for it in their data: it fails,
// ends the process, or takes too long.
type poisonedStore struct {
	worker.Store
	watcher net.Conn // hears how long each takes, when it begins; nil: nobody does
}

// newPoisonedStore tells the listener at ALLOCATION_POISON_WATCHER, a UDP address.
func newPoisonedStore(s worker.Store) poisonedStore {
	poisoned := poisonedStore{Store: s}
	if watcher := os.Getenv("ALLOCATION_POISON_WATCHER"); watcher != "" {
		poisoned.watcher, _ = (&net.Dialer{}).Dial("udp", watcher) // UDP has nobody to wait for
	}
	return poisoned
}

func (s poisonedStore) begins(takes time.Duration) {
	if s.watcher != nil {
		_, _ = s.watcher.Write([]byte(takes.String()))
	}
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
			s.begins(0)
			return worker.Applied{}, errors.New("poisoned: it fails")
		case bytes.Contains(c.Data, []byte("poison-exit")):
			s.begins(0)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case bytes.Contains(c.Data, []byte("poison-stall")):
			s.begins(poisonStall)
			select {
			case <-time.After(poisonStall):
			case <-ctx.Done():
			}
			return worker.Applied{}, errors.New("poisoned: it takes too long")
		}
	}
	return s.Store.Apply(ctx, transaction)
}
