package e2e

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWorker_stopsInOrder: a worker is asked to stop just when another was killed whose events its
// own must follow, with every product's commands coming by all partitions. It is still a member
// while it waits, may even get the dead one's partitions, and others may wait for it in turn; yet
// it stops soon after the dead one's session has ended.
func TestWorker_stopsInOrder(t *testing.T) {
	t.Parallel()
	const soon = 10 * time.Second
	a, r := setup(t, partitions), random(t)
	l := a.load(r, partitions, products)
	stays := a.start("stays", "")
	for i := range 3 {
		dies, goes := a.start(fmt.Sprintf("dies-%d", i), ""), a.start(fmt.Sprintf("goes-%d", i), "")
		l.feedUntil(func() bool { l.send(20); return dies.logged("claimed") && goes.logged("claimed") }, "the workers have partitions")
		l.send(1500)
		dies.Kill()
		began := time.Now()
		goes.stop()
		t.Logf("stopped after %s", time.Since(began).Round(time.Millisecond))
		require.Less(t, time.Since(began), a.session+soon)
	}
	a.check(time.Minute)
	a.checkFence()
	stays.stop()
}

// TestWorker_stopsInOrderWhenItsTerminalIsClosed: SIGHUP is as good as SIGTERM. Without an orderly
// stop its partitions would wait for the session timeout.
func TestWorker_stopsInOrderWhenItsTerminalIsClosed(t *testing.T) {
	t.Parallel()
	a := setup(t, partitions)
	l := a.load(random(t), partitions, products)
	w := a.start("worker", "")
	l.feedUntil(func() bool { l.send(20); return w.logged("claimed") }, "it has partitions")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, w.End(ctx, syscall.SIGHUP))
	require.NoError(t, w.Err(), "exit code 0")
	require.True(t, w.logged("worker stopped"))
}
