package buildyourown

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
)

// reader is somebody who does what the document says, in a copy of the repository.
type reader struct {
	t   *testing.T
	dir string
	env []string
	web string // where health and metrics are
}

// What a reader has patience for: go builds everything anew.
const patience = 5 * time.Minute

// newReader makes the copy. Its place stays the same, so that go has to build it only after a
// change.
func newReader(t *testing.T) *reader {
	t.Helper()
	top, err := filepath.Abs("../../..")
	require.NoError(t, err)
	r := &reader{t: t, dir: filepath.Join(top, ".cache", "build-your-own"), env: os.Environ()}
	require.NoError(t, os.RemoveAll(r.dir))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(r.dir)) })
	for _, folder := range []string{"cmd", "deploy", "domain", "migrations", "outbox", "store", "worker"} {
		require.NoError(t, os.CopyFS(filepath.Join(r.dir, folder), os.DirFS(filepath.Join(top, folder))))
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(top, file))
		require.NoError(t, err)
		r.write(file, string(text))
	}
	return r
}

// write writes a file of the document.
func (r *reader) write(path, text string) {
	r.t.Helper()
	path = filepath.Join(r.dir, path)
	require.NoFileExists(r.t, path)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(r.t, os.WriteFile(path, []byte(text), 0o600))
}

// start starts a command as pasted. What it prints goes to a file.
func (r *reader) start(line string) (p *child.Process, output string) {
	r.t.Helper()
	file, err := os.CreateTemp(r.t.TempDir(), "output")
	require.NoError(r.t, err)
	r.t.Cleanup(func() { file.Close() })
	if r.web != "" {
		line = strings.ReplaceAll(line, "http://127.0.0.1:8080", r.web)
	}
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.dir, r.env, file, file
	p, err = child.Start(cmd, syscall.SIGTERM)
	require.NoError(r.t, err)
	r.t.Cleanup(p.Kill)
	return p, file.Name()
}

// run runs a command to its end.
func (r *reader) run(line string) (printed string, err error) {
	r.t.Helper()
	p, output := r.start(line)
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	require.NoError(r.t, p.Wait(ctx), line)
	return r.read(output), p.Err()
}

func (r *reader) read(output string) string {
	r.t.Helper()
	text, err := os.ReadFile(output)
	require.NoError(r.t, err)
	return string(bytes.ReplaceAll(text, []byte("\r"), nil))
}

// stop stops a command as Ctrl-C does, also after the test.
func (r *reader) stop(p *child.Process, output string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), patience)
	defer cancel()
	require.NoError(r.t, p.End(ctx, syscall.SIGINT))
	require.NoError(r.t, p.Err(), r.read(output))
}

// await waits until a command that runs has printed something.
func (r *reader) await(p *child.Process, output string, complete func(printed string) bool) (printed string) {
	r.t.Helper()
	testbed.Eventually(r.t, func() bool {
		running := p.Running()
		printed = r.read(output)
		require.True(r.t, running || complete(printed), "it ended:\n%s", printed)
		return complete(printed)
	}, "%s", output)
	return printed
}

// do does what a block says, and compares what it prints. What only reads is asked again, as a
// person would who was faster than the worker.
func (r *reader) do(b *block) {
	r.t.Helper()
	line := strings.TrimSpace(b.text)
	if b.means == "follow" {
		p, output := r.start("exec " + line)
		printed := r.await(p, output, func(printed string) bool { return strings.Count(printed, "\n") >= strings.Count(b.prints, "\n") })
		require.Equal(r.t, same(b.prints), same(printed), line)
		r.stop(p, output)
		return
	}
	var printed string
	var err error
	try := func() bool {
		printed, err = r.run(line)
		return (err != nil) == (b.means == "fails") && (b.prints == "" || same(b.prints) == same(printed))
	}
	if reads(line) {
		testbed.Eventually(r.t, try, "%s", line)
	} else {
		try()
	}
	require.Equal(r.t, b.means == "fails", err != nil, "%s\n%s\n%v", line, printed, err)
	if b.prints != "" {
		require.Equal(r.t, same(b.prints), same(printed), line)
	}
}

// reads reports whether a command changes nothing.
func reads(line string) bool {
	for _, begins := range []string{"bin/giftcards show", "bin/giftcards explain", "bin/giftcards dlq list", "curl"} {
		if strings.HasPrefix(line, begins) {
			return true
		}
	}
	return false
}
