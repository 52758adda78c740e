package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// stopTime is how long a program may take to end once it is told to.
const stopTime = 60 * time.Second

// process is a program that runs beside this one. Its starter stops or kills it.
type process struct {
	name   string
	cmd    *exec.Cmd
	output bytes.Buffer // may be read when done is closed
	log    lastBytes
	done   chan struct{}
	err    error // may be read when done is closed

	httpAddr string // of ours: where metrics are
}

func startProcess(path string, arguments, environment []string) (*process, error) {
	p := &process{name: filepath.Base(path), cmd: exec.Command(path, arguments...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// runProgram runs a program that ends by itself.
func runProgram(ctx context.Context, path string, arguments, environment []string) error {
	p, err := startProcess(path, arguments, environment)
	if err != nil {
		return err
	}
	defer p.kill()
	ctx, cancel := context.WithTimeoutCause(ctx, stopTime, fmt.Errorf("%s %v did not end within %s", p.name, arguments, stopTime))
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if p.err != nil {
		return fmt.Errorf("%s %v: %w\n%s", p.name, arguments, p.err, p.log.String())
	}
	return nil
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop tells the program to end, and waits for it. It is an error where the program ended before,
// or not well.
func (p *process) stop(ctx context.Context) error {
	if !p.running() {
		return p.ended()
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stopTime, fmt.Errorf("%s did not end within %s of SIGTERM", p.name, stopTime))
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		p.kill()
		return context.Cause(ctx)
	}
	if p.err != nil {
		return p.ended()
	}
	return nil
}

// ended is the error of a program that ended when it should not have, or not well.
func (p *process) ended() error {
	return fmt.Errorf("%s ended: %s\n%s", p.name, p.cmd.ProcessState, p.log.String())
}

// kill ends the program at once, if it runs, and waits for it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// cpu is what the program has taken, when it has ended.
func (p *process) cpu() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// peakMemory is the most that the program, which still runs, has had in memory. What Linux says at
// its end would be no less than what this program had when it started it. Other systems do not say,
// which is not a number.
func (p *process) peakMemory() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		return math.NaN(), nil
	}
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kilobytes float64
	if _, err := fmt.Sscan(string(rest), &kilobytes); err != nil {
		return 0, fmt.Errorf("read VmHWM of %s: %w", p.name, err)
	}
	return kilobytes * 1024, nil
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	mu   sync.Mutex
	kept []byte
}

func (l *lastBytes) Write(p []byte) (int, error) {
	const most = 4000
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, p...)
	l.kept = l.kept[max(0, len(l.kept)-most):]
	return len(p), nil
}

func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.kept)
}
