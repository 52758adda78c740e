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
	"syscall"
	"time"
)

// stopTime is how long a program may take to end.
const stopTime = 60 * time.Second

// process is a program that runs beside this one, and logs to where this one does. Its starter
// stops or kills it.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func startProcess(path string, arguments, environment []string) (*process, error) {
	p := &process{exec.Command(path, arguments...), make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), environment...), os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // its state says how it ended
		close(p.done)
	}()
	return p, nil
}

// runProgram runs a program that ends by itself.
func runProgram(ctx context.Context, path string, arguments, environment []string) error {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, arguments...)
	cmd.Env = append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", filepath.Base(path), arguments, errors.Join(err, ctx.Err()), out)
	}
	return nil
}

// await waits until something is so, while a program runs, if one is given. If it does not become
// so in time, the state says what is instead.
func await(ctx context.Context, p *process, limit time.Duration, so func(context.Context) (done bool, state string)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var ended chan struct{}
	if p != nil {
		ended = p.done
	}
	for {
		done, state := so(ctx)
		if done {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ended:
			return p.ended()
		case <-ctx.Done():
			return fmt.Errorf("%s after %s: %w", state, limit, ctx.Err())
		}
	}
}

// stop tells the program to end, and waits for it. It is an error where the program ended before,
// or not well.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return p.ended()
	}
	select {
	case <-p.done:
	case <-time.After(stopTime):
		p.kill()
	}
	if !p.cmd.ProcessState.Success() {
		return p.ended()
	}
	return nil
}

// ended is the error of a program that ended when it should not have, or not well.
func (p *process) ended() error {
	<-p.done
	return fmt.Errorf("%s ended: %s", p.cmd.Path, p.cmd.ProcessState)
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

// peakMemory is the most bytes that the program, which still runs, has had in memory. What Linux
// says at its end would be no less than what this program had when it started it. Other systems do
// not say, which is not a number.
func (p *process) peakMemory() float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kilobytes float64
	if _, err := fmt.Sscan(string(rest), &kilobytes); err != nil {
		return math.NaN()
	}
	return kilobytes * 1024
}
