package testbed

import (
	"context"
	"errors"
	"syscall"

	"allocation/deploy/local/child"
)

// server is a server with its address for clients, which it keeps over restarts.
type server struct {
	controls
	addr string
}

// controls are what can be done to a server, whether it is a process or a container.
type controls interface {
	// Start starts a server that has ended, on its former port and data, and returns when it
	// answers.
	Start(ctx context.Context) error
	// Signal sends a signal to all that the server consists of. For one that ends it, it returns
	// when it has ended.
	Signal(ctx context.Context, signal syscall.Signal) error
	// Close ends the server and removes what it kept.
	Close() error
}

// swept are controls whose files lie in a folder that is removed at the end.
type swept struct {
	controls
	sweeper *child.Sweeper
}

func (s swept) Close() error { return errors.Join(s.controls.Close(), s.sweeper.Close()) }
