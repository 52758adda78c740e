package child

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who freezes a server and asks it at once gets no answer.
func TestProcess_standsStillOnceItIsStopped(t *testing.T) {
	t.Parallel()
	process, err := Start(exec.Command("sh", "-c", `for n in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait`), syscall.SIGKILL)
	require.NoError(t, err)
	t.Cleanup(process.Kill)
	require.Eventually(t, func() bool { return len(descendants(process.PID())) == 8 }, 2*time.Minute, 10*time.Millisecond)
	all := append(descendants(process.PID()), process.PID())
	for range 200 {
		process.SignalAll(syscall.SIGSTOP)
		for _, pid := range all {
			require.Equal(t, "T", string(stateOf(statPath(pid))))
		}
		process.SignalAll(syscall.SIGCONT)
	}
}

// A server that starts processes all the time, as Postgres does for its clients, is stopped with
// all of them.
func TestProcess_stopsWhatItHasJustStarted(t *testing.T) {
	t.Parallel()
	process, err := Start(exec.Command("sh", "-c", `while :; do sleep 0.02 & sleep 0.02 & wait; done`), syscall.SIGKILL)
	require.NoError(t, err)
	t.Cleanup(process.Kill)
	for range 300 {
		process.SignalAll(syscall.SIGSTOP)
		for _, pid := range descendants(process.PID()) {
			require.Contains(t, "TZX", string(stateOf(statPath(pid))))
		}
		process.SignalAll(syscall.SIGCONT)
	}
}
