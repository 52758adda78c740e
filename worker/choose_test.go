package worker

import (
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// chosen is which partitions the next transaction is of, which commits.
func chosen(a *applier, now time.Time) (numbers []int32, long bool) {
	work, _ := a.pick(now)
	if work == nil {
		return nil, false
	}
	for i, p := range work.partitions {
		p.busy = false
		p.applied(work.taken[i], work.transaction.Moves[i].To, 0, now)
		numbers = append(numbers, p.name.Partition)
	}
	return numbers, work.long
}

// Partitions with much waiting take turns with those that have little. Among themselves, each comes
// first in its turn.
func TestChoose_whatIsLittleWaitsForOneTransactionOfWhatIsMuch(t *testing.T) {
	t.Parallel()
	w, now := &Worker{cfg: Config{MaxBatch: 4000}}, time.Now()
	a := newApplier(w, 0, nil)
	a.partitions = waitingPartitions(5000, 5000, 2, 0)
	comes := func(n int) {
		p := a.partitions[n]
		p.push([]*kgo.Record{{Offset: p.next + int64(len(p.queue.records))}})
	}
	firsts := map[int32]int{}
	for range 4 {
		comes(2)
		comes(3)
		numbers, long := chosen(a, now)
		require.ElementsMatch(t, []int32{2, 3}, numbers)
		require.False(t, long)
		comes(2)
		numbers, long = chosen(a, now)
		require.Len(t, numbers, 1)
		require.True(t, long)
		firsts[numbers[0]]++
	}
	require.Len(t, firsts, 2)

	numbers, _ := chosen(a, now)
	require.Equal(t, []int32{2}, numbers)
	numbers, long := chosen(a, now)
	require.NotEmpty(t, numbers)
	require.True(t, long, "alone they wait for nobody")
}

// After a conflict those with much waiting rest, for a moment at most. The others go on.
func TestChoose_whatIsMuchRestsWhereOthersWereFirst(t *testing.T) {
	t.Parallel()
	w, now := &Worker{cfg: Config{MaxBatch: 4000}}, time.Now()
	a := newApplier(w, 0, nil)
	w.metrics, w.freed = NewMetrics(prometheus.NewRegistry()), sync.NewCond(&w.mu)
	a.partitions = waitingPartitions(5000, 1)
	a.turnOfLong = true
	work, _ := a.pick(now)
	require.True(t, work.long)
	work.took = time.Minute
	a.finish(t.Context(), work, ErrConflict)
	now = time.Now()
	numbers, _ := chosen(a, now)
	require.Equal(t, []int32{1}, numbers)
	work, wait := a.pick(now)
	require.Nil(t, work)
	require.Positive(t, wait)
	require.LessOrEqual(t, wait, restMost)
	numbers, long := chosen(a, now.Add(wait))
	require.Equal(t, []int32{0}, numbers)
	require.True(t, long)
}

// What is little has a pace of its own: it is applied as before where what is much is in conflict.
func TestChoose_eachHasItsPace(t *testing.T) {
	t.Parallel()
	w, now := &Worker{cfg: Config{MaxBatch: 4000}}, time.Now()
	a := newApplier(w, 0, nil)
	a.partitions = waitingPartitions(5000, 100)
	for range 12 {
		a.long.conflicted(a.long.next())
	}
	numbers, long := chosen(a, now)
	require.Equal(t, []int32{1}, numbers)
	require.False(t, long)
	require.Empty(t, a.partitions[1].queue.records)
	work, _ := a.pick(now)
	require.True(t, work.long)
	require.Len(t, work.records, 1)
}
