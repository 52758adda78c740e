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
	cmd  *exec.Cmd
	log  lastBytes
	end  context.CancelFunc // tells it to end; after stopTime it is killed
	done chan struct{}
}

func startProcess(path string, arguments, environment []string) (*process, error) {
	ctx, end := context.WithCancel(context.Background())
	p := &process{cmd: exec.CommandContext(ctx, path, arguments...), end: end, done: make(chan struct{})}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTime
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		end()
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

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// await waits until something is so, while the program runs. If it does not become so in time, the
// state says what is instead.
func (p *process) await(ctx context.Context, limit time.Duration, so func(context.Context) (done bool, state string)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		done, state := so(ctx)
		if done {
			return nil
		}
		select {
		case <-look.C:
		case <-p.done:
			return p.ended()
		case <-ctx.Done():
			return fmt.Errorf("%s after %s: %w\n%s", state, limit, ctx.Err(), p.log.String())
		}
	}
}

// stop tells the program to end, and waits for it. It is an error where the program ended before,
// or not well.
func (p *process) stop() error {
	early := !p.running()
	p.end()
	<-p.done
	if early || !p.cmd.ProcessState.Success() {
		return p.ended()
	}
	return nil
}

// ended is the error of a program that ended when it should not have, or not well.
func (p *process) ended() error {
	return fmt.Errorf("%s ended: %s\n%s", p.cmd.Path, p.cmd.ProcessState, p.log.String())
}

// kill ends the program at once, if it runs, and waits for it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	p.end()
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
		return 0, fmt.Errorf("read VmHWM of %s: %w", p.cmd.Path, err)
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
