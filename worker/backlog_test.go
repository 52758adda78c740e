package worker_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// With Config.CatchUpTime, an applier leaves most of the time to others while it has a backlog.
func TestWorker_restsWhileItCatchesUp(t *testing.T) {
	type transaction struct {
		commands   int
		began, end time.Time
	}
	p := setup(t, 1)
	p.maxBatch, p.catchUp = 100, time.Hour
	p.createEach(1)
	p.addToEach(1, 1000)
	var mu sync.Mutex
	var all []transaction
	p.startFaulty(func(ctx context.Context, real worker.Store, of worker.Transaction) (worker.Applied, error) {
		began := time.Now()
		applied, err := real.Apply(ctx, of)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, transaction{len(of.Commands), began, time.Now()})
		return applied, err
	})
	p.awaitAllCommitted()
	p.checkAdded(1000)
	mu.Lock()
	defer mu.Unlock()
	const little = 25 // of a transaction of 100
	rests := 0
	for i, next := range all[1:] {
		if last := all[i]; last.commands > little && next.commands > little {
			require.GreaterOrEqual(t, next.began.Sub(last.end), min(5*last.end.Sub(last.began), 300*time.Millisecond))
			rests++
		}
	}
	require.Greater(t, rests, 5)
}
