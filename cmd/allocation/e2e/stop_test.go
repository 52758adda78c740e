package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWorker_stopsInOrder: a worker is asked to stop just when another was killed whose events its own must follow, with every product's commands
// coming by all partitions. It is still a member while it waits, may even get the dead one's partitions, and others may wait for it in turn; yet it
// stops soon after the dead one's session has ended.
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
