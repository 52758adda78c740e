package program_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
)

// stranger is somebody who does what the README says, in a folder with the built program and with
// nothing set.
type stranger struct {
	t   *testing.T
	dir string
	env []string
	dev *child.Process
}

// What a stranger has patience for.
const patience = 60 * time.Second

func newStranger(t *testing.T) *stranger {
	t.Helper()
	s := &stranger{t: t, dir: t.TempDir(), env: os.Environ()}
	path, err := testbed.Build("allocation/cmd/allocation")
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "bin"), 0o700))
	require.NoError(t, os.Symlink(path, filepath.Join(s.dir, "bin", "allocation")))
	return s
}

// shell is a command as pasted. Its output goes to a file of that name.
func (s *stranger) shell(line, output string) (*exec.Cmd, string) {
	s.t.Helper()
	path := filepath.Join(s.dir, output)
	file, err := os.Create(path)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { file.Close() })
	cmd := exec.Command("sh", "-c", "exec "+line)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, file, file
	return cmd, path
}

// start starts a command that runs until it is stopped.
func (s *stranger) start(line, output string) (*child.Process, string) {
	s.t.Helper()
	cmd, path := s.shell(line, output)
	p, err := child.Start(cmd, syscall.SIGTERM)
	require.NoError(s.t, err)
	s.t.Cleanup(p.Kill)
	return p, path
}

// stop stops a command as Ctrl-C does: it must exit with 0.
func (s *stranger) stop(p *child.Process, output string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(s.t, p.End(ctx, syscall.SIGINT))
	require.NoError(s.t, p.Err(), read(s.t, output))
}

// run runs a command to its end, and returns what it printed.
func (s *stranger) run(line string) (string, error) {
	s.t.Helper()
	p, path := s.start(line, "output.txt")
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	require.NoError(s.t, p.Wait(ctx), line)
	return read(s.t, path), p.Err()
}

// await returns what a command printed as soon as it is complete.
func (s *stranger) await(p *child.Process, path string, complete func(text string) bool) (text string) {
	s.t.Helper()
	testbed.Eventually(s.t, func() bool {
		running := p.Running()
		text = read(s.t, path)
		require.True(s.t, running || complete(text), "it ended:\n%s", text)
		return complete(text)
	}, "%s", path)
	return text
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// startDev starts everything on free ports and returns what it says to try. The variables that it
// says to set are set.
func (s *stranger) startDev() (try []string, output string) {
	s.t.Helper()
	s.dev, output = s.start("bin/allocation dev --kafka-addr 127.0.0.1:0 --postgres-port 0 --http-addr 127.0.0.1:0", "dev.txt")
	text := s.await(s.dev, output, func(text string) bool { return strings.Contains(text, "\nready;") })
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if variable, ok := strings.CutPrefix(line, "export "); ok {
			s.env = append(s.env, strings.ReplaceAll(variable, "'", ""))
		}
		if strings.HasPrefix(line, "bin/allocation ") {
			try = append(try, line)
		}
	}
	return try, output
}

func TestReadme_quickStart(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	tried, output := s.startDev()
	commands := strings.Split(strings.TrimSpace(block(t, "README.md", "quick start: a test runs this block")), "\n")
	require.Equal(t, commands, tried, "dev prints the README's commands")

	tail := slices.IndexFunc(commands, func(line string) bool { return strings.HasPrefix(line, "bin/allocation tail") })
	require.Equal(t, len(commands)-1, tail)
	for _, line := range commands[:tail] {
		s.try(line)
	}
	want := events(block(t, "README.md", "quick start: a test compares this block with what is printed"))
	p, printed := s.start(commands[tail], "tail.txt")
	got := s.await(p, printed, func(text string) bool { return strings.Count(text, "\n") >= strings.Count(want, "\n") })
	require.Equal(t, want, events(got))
	s.stop(p, printed)

	shown, err := s.run("bin/allocation show order o2")
	require.NoError(t, err, shown)
	require.Regexp(t, `(?m)^o2 .* b2$`, shown)
	for line := range strings.Lines(block(t, "README.md", "quick start: a test runs this block, too")) {
		answer, err := s.run(line)
		require.NoError(t, err, answer)
		require.Contains(t, answer, " gets 20 of batch b2", line)
	}
	require.Contains(t, document(t, "README.md"), "open http://127.0.0.1:8080/", "where dev has the console by itself")
	said := read(t, output)
	require.Contains(t, said, "  Console   "+address(t, said)+"/\n")
	require.Contains(t, fetch(t, address(t, said)+"/order?id=o2"), "order o2 gets 20 of batch b2")
	requireMetrics(t, address(t, said))
	s.stop(s.dev, output)
}

// try runs a command. What asks for an order may be a moment ahead of the worker; a person would
// ask again.
func (s *stranger) try(line string) {
	s.t.Helper()
	var printed string
	var err error
	testbed.Eventually(s.t, func() bool {
		printed, err = s.run(line)
		return err == nil || !strings.Contains(printed, "there is no order")
	})
	require.NoError(s.t, err, "%s\n%s", line, printed)
}

// events leaves out when they were published.
func events(printed string) string {
	return regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z  `).ReplaceAllString(printed, "")
}

// address is where dev said that health and metrics are.
func address(t *testing.T, said string) string {
	t.Helper()
	found := regexp.MustCompile(`(http://\S+)/readyz`).FindStringSubmatch(said)
	require.NotNil(t, found, said)
	return found[1]
}

// fetch is what an address answers.
func fetch(t *testing.T, address string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Get(address)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode, address)
	var body bytes.Buffer
	_, err = body.ReadFrom(answer.Body)
	require.NoError(t, err)
	return body.String()
}

// requireMetrics compares the metrics of the service itself with the README's table.
func requireMetrics(t *testing.T, address string) {
	t.Helper()
	body := fetch(t, address+"/metrics")
	documented := documentedMetrics(t)
	// It has no value before a command is refused.
	seen := map[string]bool{"allocation_refusals_total": true}
	for _, help := range regexp.MustCompile(`(?m)^# HELP (allocation_\S+)`).FindAllStringSubmatch(body, -1) {
		if name := help[1]; !strings.HasPrefix(name, "allocation_kafka_consumer_") {
			seen[name] = true
			require.Contains(t, documented, name)
		}
	}
	for _, name := range documented {
		require.True(t, seen[name], fmt.Sprintf("%s is not among the metrics", name))
	}
}
