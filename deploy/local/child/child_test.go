package child

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// helperVariable makes the test binary a parent that starts a child and waits to be killed.
const helperVariable = "CHILD_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		helper()
	}
	goleak.VerifyTestMain(m)
}

func helper() {
	dir, _, err := TempDir("child-test-*")
	if err != nil {
		panic(err)
	}
	process, err := Start(exec.Command("sleep", "1000"), syscall.SIGKILL)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, process.PID(), dir)
	<-process.Done()
}

func TestProcess_killedParentLeavesNothing(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), helperVariable+"=1")
	output, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	pidText, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, err := strconv.Atoi(pidText)
	require.NoError(t, err)
	require.DirExists(t, dir)

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, 2*time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) }, 2*time.Minute, 10*time.Millisecond)
}

func TestProcess_killReachesGrandchildrenOfOtherGroups(t *testing.T) {
	t.Parallel()
	pidFile := filepath.Join(t.TempDir(), "pid")
	process, err := Start(exec.Command("sh", "-c", `setsid sh -c 'echo $$ >"$0"; exec sleep 1000' "$0" & wait`, pidFile), syscall.SIGKILL)
	require.NoError(t, err)
	var pid int
	require.Eventually(t, func() bool {
		content, _ := os.ReadFile(pidFile)
		pid, err = strconv.Atoi(strings.TrimSpace(string(content)))
		return err == nil
	}, 2*time.Minute, 10*time.Millisecond)

	process.Kill()
	require.False(t, process.Running())
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, 2*time.Minute, 10*time.Millisecond)
}

func TestProcess_endOfOneThatIgnoresTheSignal(t *testing.T) {
	t.Parallel()
	ready := filepath.Join(t.TempDir(), "ready")
	process, err := Start(exec.Command("sh", "-c", `trap '' TERM; : >"$0"; while :; do sleep 1000; done`, ready), syscall.SIGKILL)
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := os.Stat(ready); return err == nil }, 2*time.Minute, 10*time.Millisecond)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Error(t, process.End(ctx, syscall.SIGTERM))
	require.False(t, process.Running())
	process.Kill()
}

func TestStart_missingProgram(t *testing.T) {
	t.Parallel()
	_, err := Start(exec.Command("/nowhere"), syscall.SIGKILL)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestSweeper_closeRemoves(t *testing.T) {
	t.Parallel()
	dir, sweeper, err := TempDir("child-test-*")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	require.NoError(t, sweeper.Close())
	require.NoDirExists(t, dir)
}
