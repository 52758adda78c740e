package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/worker"
)

// With Config.CatchUpTime, an applier spreads its backlog: with a database that is slow, one of two
// seconds over five.
func TestWorker_restsWhileItCatchesUp(t *testing.T) {
	p := setup(t, 1)
	p.maxBatch, p.catchUp = 100, 5*time.Second
	p.createEach(1)
	backlog := make([]*kgo.Record, 5000)
	for i := range backlog {
		backlog[i] = add(keyOf(0), fmt.Sprint("o", i))
		backlog[i].Timestamp = time.Now().Add(-time.Minute)
	}
	p.send(0, backlog...)
	began := sync.OnceValue(time.Now)
	p.startFaulty(func(ctx context.Context, real worker.Store, of worker.Transaction) (worker.Applied, error) {
		began()
		<-time.After(time.Duration(len(of.Commands)) * 400 * time.Microsecond) // a slow database
		return real.Apply(ctx, of)
	})
	p.awaitAllCommitted()
	p.checkAdded(5000)
	require.Greater(t, time.Since(began()), 4500*time.Millisecond)
}
