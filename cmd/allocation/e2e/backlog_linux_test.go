package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// maxWorkerMiB is what a worker may occupy, whatever waits for it.
const maxWorkerMiB = 300

// The built program drains a backlog of BACKLOG_COMMANDS within its bounds of memory. The curve
// goes to the log, and to BACKLOG_CURVE as CSV.
func TestWorker_drainsABacklogInBoundedMemory(t *testing.T) {
	t.Parallel()
	commands, skus := number(t, "BACKLOG_COMMANDS", "100000"), 1000
	a := arenaOn(t, benchPartitions, testbed.Migrated(t)).itself()
	a.preload(skus, commands)
	worker := a.start("worker", "")
	curve := a.watch(worker.PID(), int64(skus+commands))
	curve.report(t)
	require.Less(t, curve.most(), maxWorkerMiB)
	await(t, time.Minute, a.done, "everything is reported")
	worker.stop()
}

// sample is a point of a curve.
type sample struct {
	after  time.Duration
	mib    int
	events int64
}

type curve []sample

// watch looks at a process until so many events are published.
func (a *arena) watch(pid int, events int64) (c curve) {
	a.t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	began := time.Now()
	for deadline := began.Add(15 * time.Minute); time.Now().Before(deadline); <-look.C {
		s := sample{after: time.Since(began), mib: residentMiB(a.t, pid), events: a.published()}
		c = append(c, s)
		if s.events >= events {
			return c
		}
	}
	require.Fail(a.t, "the backlog was not drained in time")
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
