// Package child runs programs that must not outlive this process.
//
// On Linux the kernel signals a child when its parent dies, so even SIGKILL of the parent leaves
// nothing behind. Elsewhere a child is ended by whoever started it, and outlives a parent that was
// killed.
//
// Each process is owned by one goroutine, which ends when the program does.
package child

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a started program.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of the program's end; written before done is closed
}

// Start starts the program in a process group of its own, so that Ctrl-C reaches only its parent,
// which then ends it in its own order. The program is sent onDeath when this process dies. Its
// output should go to files: a pipe would be read by this process, and fill up.
func Start(cmd *exec.Cmd, onDeath syscall.Signal) (*Process, error) {
	setAttributes(cmd, onDeath)
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// run keeps its thread until the program has ended: the kernel sends the signal of a parent's death
// when the thread that started the child ends, and a Go program's threads may end at any time
// unless they are locked.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// PID is the program's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the program ended, nil for exit code 0. It may be called only after Done is closed.
func (p *Process) Err() error { return p.err }

// Running reports whether the program has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the program alone. A program that has ended already is no error. After
// SIGSTOP, on Linux, it returns when the program stands still.
func (p *Process) Signal(signal syscall.Signal) {
	if p.Running() {
		_ = p.cmd.Process.Signal(signal)
		stopped(signal, p.PID())
	}
}

// SignalAll sends a signal to the program and all its descendants, whatever process groups they are
// in; only to its group where they cannot be listed. It returns as Signal does.
func (p *Process) SignalAll(signal syscall.Signal) {
	if !p.Running() {
		return
	}
	if signal == syscall.SIGSTOP {
		p.Signal(signal) // before they are listed: what stands still starts no more of them
	}
	others := descendants(p.PID())
	p.Signal(signal)
	for _, pid := range others {
		_ = syscall.Kill(pid, signal)
	}
	stopped(signal, others...)
}

// stopped waits until processes stand still that were sent SIGSTOP.
func stopped(signal syscall.Signal, pids ...int) {
	if signal == syscall.SIGSTOP {
		awaitStop(pids)
	}
}

// Wait waits for the program's end. Its error is the context's.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of %s: %w", p.cmd.Path, context.Cause(ctx))
	}
}

// End sends a signal and waits for the program's end, by SIGKILL to it and its descendants when the
// context ends first.
func (p *Process) End(ctx context.Context, signal syscall.Signal) error {
	p.Signal(signal)
	err := p.Wait(ctx)
	if err != nil {
		p.Kill()
	}
	return err
}

// Kill kills the program and all its descendants, and returns when none of them lives.
func (p *Process) Kill() {
	if !p.Running() {
		return
	}
	orphans := descendants(p.PID())
	p.Signal(syscall.SIGKILL)
	<-p.done
	for _, pid := range orphans {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	awaitEnd(orphans)
}
