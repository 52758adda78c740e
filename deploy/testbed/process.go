package testbed

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/local"
	"allocation/deploy/local/child"
)

// Process is a worker in a process of its own. It dies with this process, and at the latest when
// its test ends.
type Process struct {
	*child.Process
	t   testing.TB
	log string // a file
	url string // of health and metrics
}

// StartWorker starts the worker of a program, which has these variables and no others, and does not
// wait until it is ready. Its log is shown where the test failed.
func StartWorker(t testing.TB, program string, environment ...string) *Process {
	t.Helper()
	return StartPrefixedWorker(t, "", program, environment...)
}

// StartPrefixedWorker is StartWorker for a service whose variables begin with a prefix.
func StartPrefixedWorker(t testing.TB, prefix, program string, environment ...string) *Process {
	t.Helper()
	port, err := local.FreePort()
	require.NoError(t, err)
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p := &Process{t: t, log: filepath.Join(t.TempDir(), "worker.log"), url: "http://" + addr}
	log, err := os.Create(p.log)
	require.NoError(t, err)
	defer log.Close()
	cmd := exec.Command(program, "worker")
	cmd.Env = append([]string{prefix + "HTTP_ADDR=" + addr}, environment...)
	cmd.Stdout, cmd.Stderr = log, log
	p.Process, err = child.Start(cmd, syscall.SIGKILL)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			text := p.Logged()
			t.Logf("the log of process %d:\n%s", p.PID(), text[max(0, len(text)-8000):])
		}
	})
	return p
}

// Logged is all that it wrote.
func (p *Process) Logged() string {
	text, err := os.ReadFile(p.log)
	require.NoError(p.t, err)
	return string(text)
}

// Get answers "status body", or why there is no answer.
func (p *Process) Get(path string) string {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get(p.url + path)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(p.t, err)
	return fmt.Sprintf("%d %s", answer.StatusCode, body)
}
