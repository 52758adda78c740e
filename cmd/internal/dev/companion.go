package dev

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"allocation/deploy/local"
	"allocation/deploy/local/child"
)

const (
	restartPause = time.Second      // before what ended without being asked is started again
	endTime      = 15 * time.Second // for a process that is asked to end, before it is killed
)

// Companion is a process that runs beside the servers until the context ends, or this process does:
// on Linux the kernel kills it then, elsewhere it outlives a parent that was killed. One that ends
// by itself is started again.
type Companion struct {
	name    string
	command []string
	env     []string
	servers *Servers
	pauses  chan time.Duration
	done    chan struct{}

	mu      sync.Mutex
	process *child.Process // nil: it does not run
}

// Start starts a process, whose log has its name. The command has the path of the program first.
func (s *Servers) Start(ctx context.Context, name string, env []string, command ...string) *Companion {
	c := &Companion{name: name, command: command, env: env, servers: s, pauses: make(chan time.Duration), done: make(chan struct{})}
	go c.run(ctx)
	return c
}

// Run runs a process to its end. Its error has what it printed.
func (s *Servers) Run(ctx context.Context, env []string, command ...string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return &RunError{command, string(out), err}
	}
	return nil
}

// Name is that of its log.
func (c *Companion) Name() string { return c.name }

// Done is closed when it has ended for good.
func (c *Companion) Done() <-chan struct{} { return c.done }

// PID is its process id; 0: it does not run.
func (c *Companion) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return 0
	}
	return c.process.PID()
}

// Pause ends it in order, and starts it again after a while.
func (c *Companion) Pause(ctx context.Context, pause time.Duration) {
	select {
	case c.pauses <- pause:
	case <-ctx.Done():
	case <-c.done:
	}
}

// Freeze has it stand still for a while, as a process does whose machine is overloaded.
func (c *Companion) Freeze(ctx context.Context, pause time.Duration) {
	c.signal(syscall.SIGSTOP)
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	case <-c.done:
	}
	c.signal(syscall.SIGCONT)
}

func (c *Companion) signal(signal syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		c.process.Signal(signal)
	}
}

// run owns the process.
func (c *Companion) run(ctx context.Context) {
	defer close(c.done)
	_ = os.Remove(c.servers.LogPath(c.name)) // of the time before
	log := c.servers.Logger().With("process", c.name, "log", c.servers.LogPath(c.name))
	for ctx.Err() == nil {
		pause := restartPause
		if err := c.start(); err != nil {
			log.Error("a process does not start, retrying", "error", err)
		} else {
			select {
			case <-c.process.Done():
				log.Warn("a process ended without being asked, it is started again", "error", c.process.Err())
			case pause = <-c.pauses:
				c.end()
			case <-ctx.Done():
				c.end()
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (c *Companion) start() error {
	log, err := local.OpenOwn(c.servers.LogPath(c.name), os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.Background(), c.command[0], c.command[1:]...) // it is ended in order
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, log, log
	process, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.process = process
	c.mu.Unlock()
	return nil
}

func (c *Companion) end() {
	c.signal(syscall.SIGCONT) // one that is frozen hears of nothing
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	_ = c.process.End(ctx, syscall.SIGTERM) // else it is killed
	c.mu.Lock()
	c.process = nil
	c.mu.Unlock()
}
