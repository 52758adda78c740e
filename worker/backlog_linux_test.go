package worker_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// maxWorkerMiB is what a worker may occupy, whatever waits for it.
const maxWorkerMiB = 300

// The built program drains a backlog of BACKLOG_COMMANDS within its bounds of memory. The curve
// goes to the log, and to BACKLOG_CURVE as CSV.
func TestWorker_drainsABacklogInBoundedMemory(t *testing.T) {
	t.Parallel()
	commands, skus := setting(t, "BACKLOG_COMMANDS", 100_000), 1000
	p := newPipeline(t, benchPartitions)
	p.preload(skus, commands)
	program := p.startProgram()
	curve := p.watch(program.Process.Pid, int64(skus+commands))
	curve.report(t)
	require.Less(t, curve.most(), maxWorkerMiB)
	p.awaitAllCommitted()
	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	require.NoError(t, program.Wait())
}

// startProgram builds the program and starts its worker on the pipeline's topics and database.
func (p *pipeline) startProgram() *exec.Cmd {
	p.t.Helper()
	binary := filepath.Join(p.t.TempDir(), "allocation")
	output, err := exec.CommandContext(p.t.Context(), "go", "build", "-o", binary, "allocation/cmd/allocation").CombinedOutput()
	require.NoError(p.t, err, "%s", output)
	program := exec.CommandContext(p.t.Context(), binary, "worker", "--http-addr", "127.0.0.1:0")
	program.Env = append(os.Environ(), "KAFKA_BROKERS="+p.brokers, "DATABASE_URL="+p.database, "KAFKA_GROUP_ID="+p.group,
		"COMMAND_TOPICS="+p.commands, "EVENTS_TOPIC="+p.events, "DEAD_LETTER_TOPIC="+p.letters)
	program.Stderr = p.t.Output()
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(p.t, program.Start())
	p.t.Cleanup(func() {
		_ = program.Process.Kill()
		_ = program.Wait()
	})
	return program
}

// sample is a point of a curve.
type sample struct {
	after  time.Duration
	mib    int
	events int64
}

type curve []sample

// watch looks at a process until so many events are published.
func (p *pipeline) watch(pid int, events int64) (c curve) {
	p.t.Helper()
	admin := kadm.NewClient(p.client)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	began := time.Now()
	for deadline := began.Add(15 * time.Minute); time.Now().Before(deadline); <-look.C {
		s := sample{after: time.Since(began), mib: residentMiB(p.t, pid)}
		ends, err := admin.ListEndOffsets(p.t.Context(), p.events)
		require.NoError(p.t, err)
		ends.Each(func(o kadm.ListedOffset) { s.events += o.Offset })
		c = append(c, s)
		if s.events >= events {
			return c
		}
	}
	require.Fail(p.t, "the backlog was not drained in time")
	return nil
}

// residentMiB is what a process occupies.
func residentMiB(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(status), "VmRSS:")
	require.True(t, found, "the worker ended")
	var kib int
	_, err = fmt.Sscan(after, &kib)
	require.NoError(t, err)
	return kib >> 10
}

func (c curve) most() (mib int) {
	for _, s := range c {
		mib = max(mib, s.mib)
	}
	return mib
}

// report logs about twenty points, and writes all of them to a file if one is named.
func (c curve) report(t *testing.T) {
	t.Helper()
	for i := 0; i < len(c); i += 1 + len(c)/20 {
		t.Logf("%6.1fs %4d MiB %9d events", c[i].after.Seconds(), c[i].mib, c[i].events)
	}
	last := c[len(c)-1]
	t.Logf("%6.1fs %4d MiB %9d events, %.0f/s", last.after.Seconds(), c.most(), last.events, float64(last.events)/last.after.Seconds())
	file := os.Getenv("BACKLOG_CURVE")
	if file == "" {
		return
	}
	text := "seconds,rss_mib,events\n"
	for _, s := range c {
		text += fmt.Sprintf("%.1f,%d,%d\n", s.after.Seconds(), s.mib, s.events)
	}
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}
