// Package demotest runs the demo for tests: all programs, as people start them.
package demotest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/demo"
	"allocation/deploy/testbed"
)

// Demo is a demo that runs, and ends with its test.
type Demo struct {
	URL      string // of the console, without the last slash
	Dir      string // of the data
	Programs string // their folder

	t     *testing.T
	out   string // the file that it prints to
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts one, and returns when it says that it is ready.
func Start(t *testing.T) *Demo {
	t.Helper()
	d := &Demo{t: t, ended: make(chan struct{})}
	for _, name := range []string{"allocation", "orders", "warehouse"} {
		path, err := testbed.Build("allocation/cmd/" + name)
		require.NoError(t, err)
		d.Programs = filepath.Dir(path)
	}
	dir, err := os.MkdirTemp("", "allocation-demo-*") //nolint:usetesting // only its owner can enter a test's own, and Postgres is another user
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	d.Dir, d.out = filepath.Join(dir, "data"), filepath.Join(dir, "out")
	d.launch()
	return d
}

func (d *Demo) launch() {
	d.t.Helper()
	out, err := os.Create(d.out)
	require.NoError(d.t, err)
	defer out.Close()
	d.cmd = exec.CommandContext(context.Background(), filepath.Join(d.Programs, "allocation"), "dev", "--demo", "--dir="+d.Dir, "--kafka-addr=127.0.0.1:0", "--postgres-port=0", "--http-addr=127.0.0.1:0", "--shop-addr=127.0.0.1:0")
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	require.NoError(d.t, d.cmd.Start())
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait()
	}()
	d.t.Cleanup(func() {
		if d.t.Failed() {
			d.t.Log(d.Said())
		}
		d.Stop(syscall.SIGTERM)
	})
	testbed.Eventually(d.t, func() bool { return strings.Contains(d.Said(), "ready; Ctrl-C") }, "it is ready: %s", d)
	d.URL = strings.TrimSuffix(d.exported(`Console   (http://\S+/)`), "/")
}

// String is what it said.
func (d *Demo) String() string { return d.Said() }

// Said is what it printed.
func (d *Demo) Said() string {
	text, err := os.ReadFile(d.out)
	require.NoError(d.t, err)
	return string(text)
}

func (d *Demo) exported(pattern string) string {
	d.t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(d.Said())
	require.NotNil(d.t, found, "%s in %s", pattern, d)
	return found[1]
}

// Stop ends it by a signal.
func (d *Demo) Stop(signal syscall.Signal) {
	_ = d.cmd.Process.Signal(signal) // it may have ended
	<-d.ended
}

// Database is where its database is, as the superuser.
func (d *Demo) Database() string { return d.exported(`export DATABASE_URL='([^']*)'`) }

// Children are the processes that it started.
func (d *Demo) Children() (pids []int) {
	d.t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", d.cmd.Process.Pid)) // each of its threads has some
	require.NoError(d.t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(d.t, err)
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			require.NoError(d.t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// Lives reports whether a process has not ended.
func Lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// Type runs a command as a page shows it, and gives what it prints.
func (d *Demo) Type(command string) string {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), "sh", "-c", command)
	cmd.Env = []string{"PATH=" + d.Programs + ":" + os.Getenv("PATH")}
	for _, v := range regexp.MustCompile(`export (\w+)='([^']*)'`).FindAllStringSubmatch(d.Said(), -1) {
		cmd.Env = append(cmd.Env, v[1]+"="+v[2])
	}
	out, err := cmd.CombinedOutput()
	require.NoError(d.t, err, "%s: %s", command, out)
	return string(out)
}

// Get reads the JSON of a page. It reports whether there was any.
func (d *Demo) Get(path string, into any) bool {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.URL+"/api/v1"+path, nil)
	require.NoError(d.t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return false
	}
	require.NoError(d.t, json.NewDecoder(answer.Body).Decode(into))
	return true
}

// Sums are those of the front page.
func (d *Demo) Sums() (s *demo.Sums, ok bool) {
	d.t.Helper()
	var page struct{ Section *demo.Sums }
	ok = d.Get("/status", &page)
	return page.Section, ok
}

// Press presses a button of the trouble page. It returns the answer's status and its Location.
func (d *Demo) Press(kind string) (status int, next string) {
	d.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.URL+"/trouble", strings.NewReader(url.Values{"kind": {kind}}.Encode()))
	require.NoError(d.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	require.NoError(d.t, err)
	_, _ = io.Copy(io.Discard, answer.Body)
	require.NoError(d.t, answer.Body.Close())
	return answer.StatusCode, answer.Header.Get("Location")
}

// Trouble is what a trouble did last.
func (d *Demo) Trouble(kind string) demo.TroubleView {
	d.t.Helper()
	var page demo.TroublePage
	require.True(d.t, d.Get("/trouble", &page))
	for _, v := range page.Troubles {
		if v.ID == kind {
			return v
		}
	}
	require.Fail(d.t, "there is no trouble "+kind)
	return demo.TroubleView{}
}
