package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
)

// programVariable makes the test binary the program.
const programVariable = "CHAOS_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestChaos_short: a minute and a half with every kind of fault. make chaos is the long one.
func TestChaos_short(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	output, errors, err := run(t, "CHAOS_DURATION=90s", "CHAOS_EVERY=2500ms", "CHAOS_COMMANDS=45000", "CHAOS_SESSION_TIMEOUT=4s", "CHAOS_DISK=1g")
	require.NoError(t, err, "%s\n%s", errors, output)
	require.Contains(t, output, "The checker found nothing.")
	for _, kind := range []string{"worker-kill", "worker-freeze", "broker-kill", "postgres-kill", "postgres-promote", "commit-cut", "kafka-cut"} {
		require.Regexp(t, regexp.MustCompile(`\| `+kind+` \| [1-9]`), output)
	}
}

func TestOptions_mistakesAreNamed(t *testing.T) {
	t.Parallel()
	_, errors, err := run(t, "CHAOS_MIX=worker-kil=1", "CHAOS_DURATION=long", "CHAOS_COMMANDS=-1")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 2, exit.ExitCode())
	require.Contains(t, errors, `CHAOS_MIX has "worker-kil=1"; it must be name=weight, with a name of aborted, batch-packed, `)
	require.Contains(t, errors, `CHAOS_DURATION is "long"`)
	require.Contains(t, errors, `CHAOS_COMMANDS is "-1"`)
}

// run runs the program, which dies with this test, and gives what it wrote.
func run(t *testing.T, environment ...string) (output, errors string, err error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), programVariable+"=1"), environment...)
	dir := t.TempDir()
	stdout, stderr := create(t, dir, "output"), create(t, dir, "errors")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	program, err := child.Start(cmd, syscall.SIGTERM)
	require.NoError(t, err)
	err = program.Wait(t.Context())
	if err == nil {
		err = program.Err()
	}
	return read(t, stdout), read(t, stderr), err
}

func create(t *testing.T, dir, name string) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, name))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return file
}

func read(t *testing.T, file *os.File) string {
	t.Helper()
	content, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	return string(bytes.TrimSpace(content))
}
