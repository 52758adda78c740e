package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/local/child"
)

// process is a running worker. It dies with this process, and at the latest when its test ends.
type process struct {
	*child.Process
	t    testing.TB
	name string
	log  string // a file
}

// start starts a worker, perhaps with more variables. fault is empty, or point:count:action.
func (a *arena) start(name, fault string, variables ...string) *process {
	a.t.Helper()
	p := &process{t: a.t, name: name, log: filepath.Join(a.t.TempDir(), name+".log")}
	log, err := os.Create(p.log)
	require.NoError(a.t, err)
	defer log.Close()
	cmd := exec.Command(a.program, "worker")
	cmd.Env = append(append(a.environment(), "DATABASE_URL="+a.databaseAs(name), "ALLOCATION_FAULT="+fault), variables...)
	cmd.Stdout, cmd.Stderr = log, log
	p.Process, err = child.Start(cmd, syscall.SIGKILL)
	require.NoError(a.t, err)
	a.t.Cleanup(p.end)
	return p
}

// end kills the process, and shows its log where the test failed.
func (p *process) end() {
	p.Kill()
	if p.t.Failed() {
		log := p.output()
		p.t.Logf("the log of %s (process %d):\n%s", p.name, p.PID(), log[max(0, len(log)-8000):])
	}
}

func (p *process) output() []byte {
	log, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Error(err)
	}
	return log
}

func (p *process) logged(text string) bool { return bytes.Contains(p.output(), []byte(text)) }

// awaitClaim waits until the worker has partitions. Before, it may not hear that it is to stop.
func (p *process) awaitClaim() {
	p.t.Helper()
	await(p.t, time.Minute, func() bool { return p.logged("msg=claimed") }, "%s has partitions", p.name)
}

// reached reports whether the fault has struck.
func (p *process) reached(point string) bool { return p.logged("FAULT REACHED " + point + "\n") }

// stop stops the worker in order: it must exit with 0.
func (p *process) stop() {
	p.t.Helper()
	const shutdown = 40 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), shutdown)
	defer cancel()
	require.NoError(p.t, p.End(ctx, syscall.SIGTERM), p.name)
	require.NoError(p.t, p.Err(), "%s stops in order", p.name)
}

// wasKilled reports whether the process was ended by SIGKILL.
func (p *process) wasKilled() bool {
	var exit *exec.ExitError
	if p.Running() || !errors.As(p.Err(), &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// frozen reports whether the process is stopped by SIGSTOP.
func (p *process) frozen() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	after := stat[bytes.LastIndexByte(stat, ')')+1:]
	return err == nil && bytes.HasPrefix(bytes.TrimSpace(after), []byte("T"))
}

// await polls until something is so.
func await(t testing.TB, limit time.Duration, so func() bool, format string, args ...any) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, fmt.Sprintf(format, args...))
		}
	}
}
