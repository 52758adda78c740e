package security

import (
	"bufio"
	"bytes"
	"context"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// environment is what a program is told. Later values win.
type environment []string

func (e environment) with(more ...string) environment {
	return append(append(environment{}, e...), more...)
}

func (s *site) run(env environment, args ...string) programtest.Outcome {
	s.t.Helper()
	const limit = 40 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, err bytes.Buffer
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.plainEnvironment().with(env...), &out, &err
	_ = cmd.Run()
	s.outputs.add(out.String() + err.String())
	return programtest.Outcome{Code: cmd.ProcessState.ExitCode(), Out: out.String(), Err: err.String()}
}

// done runs the program, which must do it, and returns what it printed.
func (s *site) done(env environment, args ...string) string {
	s.t.Helper()
	return s.run(env, args...).RequireDone(s.t)
}

// refused runs the program, which must fail with one line that says all of this.
func (s *site) refused(env environment, args []string, says ...string) {
	s.t.Helper()
	began := time.Now()
	o := s.run(env, args...)
	require.NotZero(s.t, o.Code, "%v: %s", args, o.Out)
	line := strings.TrimSpace(o.Err)
	if args[0] == "worker" { // its log comes first
		line = line[strings.LastIndexByte(line, '\n')+1:]
	}
	require.NotContains(s.t, line, "\n")
	for _, part := range says {
		require.Contains(s.t, line, part)
	}
	s.t.Logf("%s (%s): %s", args[0], time.Since(began).Round(time.Millisecond), line)
}

// tail returns the first events that `tail` prints.
func (s *site) tail(env environment, lines int) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.program, "tail", "--from-beginning")
	cmd.Env = s.plainEnvironment().with(env...)
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	var text strings.Builder
	for scanner := bufio.NewScanner(out); lines > 0 && scanner.Scan(); lines-- {
		text.WriteString(scanner.Text() + "\n")
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	require.NoError(s.t, cmd.Wait())
	require.Zero(s.t, lines, text.String())
	s.outputs.add(text.String())
	return text.String()
}

// outputs are all that any program wrote.
type outputs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *outputs) add(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.WriteString(text)
}

// worker is a running worker.
type worker struct {
	*testbed.Process
	t *testing.T
}

// startWorker starts a worker and does not wait until it is ready.
func (s *site) startWorker(env environment) *worker {
	s.t.Helper()
	w := &worker{testbed.StartWorker(s.t, s.program, s.plainEnvironment().with(env...)...), s.t}
	s.t.Cleanup(func() {
		w.stop()
		s.outputs.add(w.Logged())
	})
	return w
}

// stop ends the worker in order.
func (w *worker) stop() {
	if !w.Running() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	_ = w.End(ctx, syscall.SIGTERM)
}

// ready waits until the worker is.
func (w *worker) ready() {
	w.t.Helper()
	await(w.t, func() string { return w.Get("/readyz") }, `{"ready":true}`)
}

// await waits until an answer contains the text.
func await(t *testing.T, ask func() string, text string) {
	t.Helper()
	answer := ""
	defer func() {
		if t.Failed() {
			t.Logf("the last answer: %s", answer)
		}
	}()
	testbed.Eventually(t, func() bool {
		answer = ask()
		return strings.Contains(answer, text)
	}, text)
}
