package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// ready is what /readyz answers where nothing is to be said.
const ready = "200 {\"ready\":true}\n"

// process is a running worker.
type process struct {
	*testbed.Process
	t    testing.TB
	name string
}

// start starts a worker, whose connections bear its name, perhaps with more variables. fault is
// empty, or point:count:action.
func (a *arena) start(name, fault string, variables ...string) *process {
	a.t.Helper()
	named := testbed.WithOptions(a.t, a.database, "application_name", name)
	environment := append(a.environment(), "DATABASE_URL="+named, "ALLOCATION_FAULT="+fault)
	return &process{testbed.StartWorker(a.t, a.program, append(environment, variables...)...), a.t, name}
}

func (p *process) logged(text string) bool { return strings.Contains(p.Logged(), text) }

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
