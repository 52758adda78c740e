package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
)

// applierOf has partitions, and is asked what it would do, by pick.
func applierOf(partitions ...*partition) *applier {
	a := newApplier(&Worker{cfg: Config{MaxBatch: 100}}, 0, nil)
	a.partitions = partitions
	return a
}

// What must go alone does, when it is its turn, and keeps nothing from the others meanwhile.
func TestApplier_picksWhatMustGoAloneInItsTurn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		needs func(p *partition)
		takes int
		probe bool
		fails string
	}{
		"its first record failed":     {needs: func(p *partition) { p.failing.alone = true }, takes: 1},
		"its first record is held":    {needs: func(p *partition) { p.failing.alone, p.failing.why = true, "it failed" }, takes: 1, fails: "it failed"},
		"its worker crashed":          {needs: func(p *partition) { p.probe.size = 2 }, takes: 2, probe: true},
		"what it needs is locked":     {needs: func(p *partition) { p.lock = &locked{} }, takes: 1},
		"a batch is not unpacked":     {needs: func(p *partition) { p.queue.take(9); p.next = 9; p.oversized = &oversized{header: header(20)} }, takes: 0},
		"a batch its producer undid":  {needs: func(p *partition) { p.queue.take(9); p.oversized = &oversized{header: &batchHeader{aborted: true}} }, takes: 0},
		"its lock is further behind":  {needs: func(p *partition) { p.failing.alone, p.lock = true, &locked{from: 3} }, takes: 1},
		"its probe, and little waits": {needs: func(p *partition) { p.probe.size = 50 }, takes: 9, probe: true},
	} {
		odd, other := partitionOf(9), partitionOf(9)
		c.needs(odd)
		a := applierOf(odd, other)
		work, _ := a.pick(then)
		require.Equal(t, []*partition{odd}, work.partitions[:1], name)
		require.Equal(t, c.takes, work.taken[0], name)
		require.Equal(t, []any{c.probe, c.fails}, []any{work.probe, work.fails}, name)
		require.True(t, odd.busy, name)
		work, _ = a.pick(then)
		require.Equal(t, []*partition{other}, work.partitions, name)
		work, wait := a.pick(then)
		require.Nil(t, work, name)
		require.Zero(t, wait, name)
		odd.busy, other.busy, a.turn = false, false, 1
		work, _ = a.pick(then)
		require.Equal(t, []*partition{other}, work.partitions, "%s: it is the other's turn", name)
	}
}

// A partition waits at what is locked, and applies what comes before.
func TestApplier_picksWhatComesBeforeALock(t *testing.T) {
	t.Parallel()
	p := partitionOf(9)
	require.True(t, p.wait(4, "a row", "somebody", then))
	require.False(t, p.wait(4, "a row", "somebody", then.Add(time.Second)), "that is known")
	require.Equal(t, then, p.lock.since)
	a := applierOf(p)
	work, _ := a.pick(then)
	require.Equal(t, int64(4), work.transaction.Moves[0].To)
	p.busy = false
	p.applied(4, 4, 0, then)
	require.Nil(t, p.passLock())
	work, wait := a.pick(then.Add(time.Second))
	require.Nil(t, work)
	require.InDelta(t, lockedAgain*3/4, wait, float64(lockedAgain/4))
	work, _ = a.pick(then.Add(2 * time.Second))
	require.Equal(t, int64(5), work.transaction.Moves[0].To, "alone")
	p.busy = false
	p.applied(1, 5, 0, then)
	require.Equal(t, "a row", p.passLock().what)
	work, _ = a.pick(then)
	require.Equal(t, int64(9), work.transaction.Moves[0].To)
}

// A batch that is not unpacked comes after what is queued, becomes one command, and is passed.
func TestApplier_passesABatchThatIsNotUnpacked(t *testing.T) {
	t.Parallel()
	p := partitionOf(2)
	p.oversized = &oversized{header: header(20), cancel: func() {}}
	require.False(t, p.takesRecords())
	a := applierOf(p)
	work, _ := a.pick(then)
	require.Equal(t, int64(2), work.transaction.Moves[0].To)
	p.busy = false
	p.applied(2, 2, 0, then)
	require.False(t, p.toSeek())
	work, _ = a.pick(then)
	require.Len(t, work.records, 1)
	require.Equal(t, int64(21), work.transaction.Moves[0].To)
	require.Equal(t, int32(7), work.transaction.Moves[0].LeaderEpoch)
	p.busy = false
	p.applied(0, 21, 1, then)
	require.True(t, p.toSeek())
	require.Equal(t, int32(7), p.seekEpoch())
	require.True(t, p.pauses(0, 0))
	require.False(t, p.hasNext())
	require.Equal(t, int64(21), p.queue.end)
}

func header(last int64) *batchHeader {
	return &batchHeader{RecordBatch: outbox.RecordBatch{Last: last, Records: 3}, epoch: 7}
}

// Parked commands and records are applied in turn, and a parked one that fails keeps no record
// waiting.
func TestApplier_picksParkedCommandsInTurn(t *testing.T) {
	t.Parallel()
	p := partitionOf(9)
	p.redrive.backlog = true
	a := applierOf(p)
	var redrives []bool
	for range 4 {
		work, _ := a.pick(then)
		redrives = append(redrives, work.redrive)
		p.busy = false
	}
	require.Equal(t, []bool{true, false, true, false}, redrives)
	p.redrive.parked.at = then.Add(time.Minute)
	for range 3 {
		work, _ := a.pick(then)
		require.False(t, work.redrive)
		p.busy = false
	}
	p.queue.drop()
	work, wait := a.pick(then)
	require.Nil(t, work)
	require.Equal(t, time.Minute, wait)
	p.redrive.again = &reread{ready: &Reread{}}
	work, _ = a.pick(then)
	require.Same(t, p.redrive.again, work.again)
	require.False(t, p.redrive.again.isReady(), "it is taken")
}
