// Package programtest runs the program in a test's own process: a command and what it printed, or a
// worker with topics and a database of its own.
package programtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
)

// Outcome is what a run of the program left.
type Outcome struct {
	Code     int
	Out, Err string
}

// Run runs the program with these arguments, on the database that the test uses.
func Run(t *testing.T, args ...string) Outcome {
	t.Helper()
	return RunWith(t.Context(), "", WithDatabase(t, args)...)
}

// RunWith is Run with a context and a standard input.
func RunWith(ctx context.Context, in string, args ...string) Outcome {
	var out, err SyncBuffer
	p := program.New(strings.NewReader(in), &out, &err, service.Hooks{})
	return Outcome{Code: p.Run(ctx, args), Out: out.String(), Err: err.String()}
}

// startLimit is for a worker that must not start. One that does would run for ever.
const startLimit = time.Minute

// RefuseWorker runs a worker that must not start.
func RefuseWorker(t *testing.T, flags ...string) Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	o := RunWith(ctx, "", WithDatabase(t, append([]string{"worker", "--http-addr=127.0.0.1:0"}, flags...))...)
	require.NoError(t, ctx.Err(), "the worker starts, or waits: %s", o.Err)
	return o
}

// RequireDone requires that the program did what it was to do, and printed all of this, and returns
// what it printed.
func (o Outcome) RequireDone(t *testing.T, says ...string) string {
	t.Helper()
	o.require(t, cli.ExitDone, says)
	return o.Out
}

// RequireFailed requires that the program failed, and said all of this.
func (o Outcome) RequireFailed(t *testing.T, says ...string) {
	t.Helper()
	o.require(t, cli.ExitFailed, says)
}

// RequireMisuse requires that the program was used wrongly, and said all of this.
func (o Outcome) RequireMisuse(t *testing.T, says ...string) {
	t.Helper()
	o.require(t, cli.ExitUsage, says)
}

func (o Outcome) require(t *testing.T, code int, says []string) {
	t.Helper()
	require.Equal(t, code, o.Code, "%s%s", o.Out, o.Err)
	for _, text := range says {
		require.Contains(t, o.Out+o.Err, text)
	}
}

// SendLines runs send with a file of these lines.
func SendLines(t *testing.T, topic, lines string, more ...string) Outcome {
	t.Helper()
	file := filepath.Join(t.TempDir(), "commands.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o600))
	return Run(t, append([]string{"send", "-f", file, "--kafka-brokers=" + testbed.Kafka(t), "--command-topics=" + topic}, more...)...)
}
