package testbed

import (
	"syscall"
	"testing"
)

// private is a server of a test's own. A method that does not succeed ends the test, so they are
// for the test's goroutine.
type private struct {
	t      testing.TB
	server *server
}

func newPrivate(t testing.TB, server *server, err error) private {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close the test's server: %v", err)
		}
	})
	return private{t: t, server: server}
}

// Start starts the server after Stop or Kill, on the same port and data, and returns when it
// answers.
func (p private) Start() {
	p.t.Helper()
	if err := p.server.Start(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// Kill ends the server as a power cut would, but for what the operating system has in memory.
func (p private) Kill() { p.t.Helper(); p.signal(syscall.SIGKILL) }

// Freeze makes the server stand still: it answers nothing and its connections stay open.
func (p private) Freeze() { p.t.Helper(); p.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (p private) Thaw() { p.t.Helper(); p.signal(syscall.SIGCONT) }

func (p private) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.server.Signal(p.t.Context(), signal); err != nil {
		p.t.Fatal(err)
	}
}
