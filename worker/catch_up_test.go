package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A backlog is spread over the time that it may take, whatever else comes. When that time is over
// it goes as fast as it can.
func TestCatchUp_spreadsABacklog(t *testing.T) {
	t.Parallel()
	const most, each = 500, 200 * time.Microsecond // a transaction of 500 takes 100 ms
	for name, c := range map[string]struct {
		time     time.Duration
		backlog  int64
		comes    float64 // a second
		from, to time.Duration
		largest  int // transaction after half a second, while it is spread; 0: of any size
	}{
		"as fast as it goes":          {backlog: 10_000, from: 2 * time.Second, to: 2 * time.Second},
		"evenly":                      {backlog: 10_000, time: 10 * time.Second, from: 9600 * time.Millisecond, to: 10100 * time.Millisecond, largest: 201},
		"with a tenth of what it can": {backlog: 10_000, time: 10 * time.Second, comes: 500, from: 9600 * time.Millisecond, to: 10100 * time.Millisecond, largest: 301},
		"with half of what it can":    {backlog: 10_000, time: 10 * time.Second, comes: 2500, from: 9600 * time.Millisecond, to: 10200 * time.Millisecond},
		"sooner where it is small":    {backlog: 10_000, time: time.Hour, from: 1190 * time.Second, to: 1255 * time.Second, largest: quickLeast},
		"more than there is time":     {backlog: 10_000, time: time.Second, from: 2 * time.Second, to: 2100 * time.Millisecond},
		"a moment's work":             {backlog: 5000, time: time.Hour, from: time.Second, to: time.Second, largest: firstOfBacklog},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var spread catchUp
			began := time.Now()
			now, left, largest := began, float64(c.backlog), 0
			for left >= 1 {
				before, part := now, min(most, int(left))
				if c.time > 0 {
					part = min(part, spread.part(now, c.time, int64(left)))
				}
				now, left = now.Add(each*time.Duration(part)), left-float64(part)
				if c.time > 0 {
					now = now.Add(min(spreadRest, spread.applied(now, c.time, load{int64(part), int64(left), each, int64(left)}, true)))
				}
				left += c.comes * now.Sub(before).Seconds()
				if before.Sub(began) >= time.Second/2 && before.Sub(began) < c.time {
					largest = max(largest, part)
				}
				if c.comes > 0 {
					even := float64(c.backlog) * (1 - now.Sub(began).Seconds()/c.time.Seconds())
					require.LessOrEqual(t, left, even+most+c.comes, "after %s", now.Sub(began))
				}
				if c.time > 0 && now.Sub(began) > c.time && left <= c.comes { // what comes goes on
					break
				}
			}
			if c.largest > 0 {
				require.LessOrEqual(t, largest, c.largest)
			}
			require.GreaterOrEqual(t, now.Sub(began), c.from)
			require.LessOrEqual(t, now.Sub(began), c.to)
		})
	}
}

// noted is a backlog of which transactions of one record are noted.
type noted struct {
	catchUp

	now time.Time
}

func (n *noted) rests(each time.Duration, left int64, stale bool) time.Duration {
	return n.applied(n.now, time.Minute, load{1, left, each, left}, stale)
}

// begin begins a backlog of a minute.
func (n *noted) begin(t *testing.T) {
	t.Helper()
	require.Positive(t, n.rests(time.Millisecond, 1999, true))
	require.Equal(t, n.now.Add(time.Minute), n.by)
	require.EqualValues(t, 2000, n.from)
}

// Whether there is a backlog is found out at first. A service that has just started is slow.
func TestCatchUp_isNoneWhereItGoesFaster(t *testing.T) {
	t.Parallel()
	spread := noted{now: time.Now()}
	require.Zero(t, spread.rests(time.Millisecond, 1000, true), "a second of work")
	require.Zero(t, spread.by)
	spread.begin(t)
	require.Zero(t, spread.rests(time.Microsecond, 1000, true))
	require.Zero(t, spread.by)

	spread.begin(t)
	spread.now = spread.now.Add(time.Minute / foundWithin)
	require.Positive(t, spread.rests(time.Microsecond, 1000, true), "it is not asked any more")
}

// A backlog is none only where nothing of it takes long: one record that is younger, or a lock on
// what comes next, does not begin its time anew.
func TestCatchUp_keepsItsTime(t *testing.T) {
	t.Parallel()
	for _, waits := range []bool{true, false} {
		spread := noted{now: time.Now()}
		spread.begin(t)
		spread.now = spread.now.Add(time.Second)
		spread.applied(spread.now, time.Minute, load{1, 1990, time.Millisecond, 0}, waits)
		require.Equal(t, spread.now.Add(59*time.Second), spread.by)
	}
}

// Where much less is left at once, as after a reset of offsets, what comes from then on is applied
// as it comes.
func TestCatchUp_followsAReset(t *testing.T) {
	t.Parallel()
	spread := noted{now: time.Now()}
	spread.begin(t)
	spread.now = spread.now.Add(20 * time.Second)
	require.Greater(t, spread.rests(time.Millisecond, 200, true), spreadRest)
	spread.now = spread.now.Add(spreadRest)
	require.Greater(t, spread.part(spread.now, time.Minute, 500), 300)
}

// Each backlog has a time of its own. One is over when few records are left that take no time, or
// nothing waits for long any more when its time is over.
func TestCatchUp_beginsAnew(t *testing.T) {
	t.Parallel()
	spread := noted{now: time.Now()}
	spread.begin(t)
	spread.now = spread.now.Add(20 * time.Second)
	require.Positive(t, spread.rests(time.Second, 16, true), "16 s are left")
	spread.rests(time.Millisecond, 17, true)
	require.NotZero(t, spread.by, "many are left")
	require.Zero(t, spread.rests(time.Millisecond, 17, false), "one record is younger, and does not wait")
	require.NotZero(t, spread.by)
	require.Zero(t, spread.rests(time.Millisecond, 16, true))
	require.Zero(t, spread.by)

	spread.begin(t)
	spread.now, spread.last = spread.now.Add(time.Minute), spread.now.Add(time.Minute)
	require.True(t, spread.isOver(spread.now))
	require.Zero(t, spread.rests(time.Millisecond, 1000, true), "it goes as fast as it can")
	require.Greater(t, spread.part(spread.now, time.Minute, 1000), 1000)
	require.Zero(t, spread.rests(time.Millisecond, 1000, false))
	require.Zero(t, spread.by)
	require.False(t, spread.isOver(spread.now))
}

// One that was interrupted, as by an outage of Postgres, has its time again.
func TestCatchUp_beginsAnewAfterAnInterruption(t *testing.T) {
	t.Parallel()
	spread := noted{now: time.Now()}
	spread.begin(t)
	spread.now = spread.now.Add(interrupted)
	require.Less(t, spread.part(spread.now, time.Minute, 2000), 1100, "what was due")
	spread.now = spread.now.Add(1)
	require.Equal(t, firstOfBacklog, spread.part(spread.now, time.Minute, 2000))
	spread.begin(t)

	p := waitingPartitions(1)[0]
	p.next, p.catchUp = 9, spread.catchUp
	p.claimed(Claim{NextOffset: 9}, spread.now)
	require.NotZero(t, p.catchUp)
	p.claimed(Claim{NextOffset: 8}, spread.now)
	require.Zero(t, p.catchUp, "more is left")
}

// What waits for a producer's transaction is no backlog: nobody may apply it. Neither is what came
// just now.
func TestCatchUp_countsWhatMayBeAppliedAndIsStale(t *testing.T) {
	t.Parallel()
	a, now := newApplier(&Worker{cfg: Config{MaxBatch: 100}}, 0, nil), time.Now()
	a.partitions = waitingPartitions(10, 10)
	a.partitions[1].queue.records[0].Timestamp = now.Add(-stale)
	require.EqualValues(t, 10, a.backlog(now))
	p := a.partitions[0]
	p.log.see(p.next+30, p.next+90, now)
	require.EqualValues(t, 30, a.backlog(now))
	require.EqualValues(t, 40, a.backlog(now.Add(1)))

	p.queue.records[9].Timestamp = now
	p.queue.take(10)
	require.EqualValues(t, 10, a.backlog(now.Add(stale)), "30 are not fetched, and no older than what was taken")
	require.EqualValues(t, 40, a.backlog(now.Add(stale+1)))
}

// While a partition with a backlog rests, others go on: a rush, what goes alone, what is decided.
func TestCatchUp_restsOnePartition(t *testing.T) {
	t.Parallel()
	cfg := Config{MaxBatch: 4000, CatchUpTime: time.Hour, StallTimeout: time.Second}
	a, now := newApplier(&Worker{cfg: cfg}, 0, nil), time.Now()
	a.partitions = waitingPartitions(50_000, 5000, 5000)
	rush, alone := a.partitions[1], a.partitions[2]
	for _, r := range rush.queue.records {
		r.Timestamp = now
	}
	alone.failing.alone = true
	for _, p := range a.partitions[1:] {
		p.busy = true
	}
	work, _ := a.pick(now)
	require.Len(t, work.records, firstOfBacklog)
	work.took = time.Second
	a.caughtUp(work, now)
	work.release()
	work, wait := a.pick(now)
	require.Nil(t, work)
	require.InDelta(t, cfg.StallTimeout/2, wait, float64(spreadStep/2), "it is not taken for one that stands still")
	rush.busy, alone.busy = false, false
	seen := map[int32]bool{}
	for range 2 {
		numbers, _ := chosen(a, now)
		require.Len(t, numbers, 1)
		seen[numbers[0]] = true
	}
	require.Equal(t, map[int32]bool{1: true, 2: true}, seen)
	rush.busy, alone.busy = true, true
	a.partitions[0].redrive.backlog = true
	work, _ = a.pick(now)
	require.True(t, work.redrive)
	require.Equal(t, a.partitions[:1], work.partitions)
	work.release()
	a.partitions[0].redrive.backlog = false
	numbers, _ := chosen(a, now.Add(wait))
	require.Equal(t, []int32{0}, numbers)
}

// Partitions whose rests end at about the same time have a transaction together.
func TestCatchUp_hasFewTransactions(t *testing.T) {
	t.Parallel()
	const partitions = 100
	a := newApplier(&Worker{cfg: Config{MaxBatch: 4000, CatchUpTime: time.Minute, StallTimeout: time.Minute}}, 0, nil)
	waiting := make([]int, partitions)
	for n := range waiting {
		waiting[n] = 2000 + 10*n
	}
	a.partitions = waitingPartitions(waiting...)
	a.short.quick, a.long.quick = 4000, 4000
	began := time.Now()
	now, transactions, records := began, 0, 0
	for now.Sub(began) < 10*time.Second {
		work, wait := a.pick(now)
		if work == nil {
			now = now.Add(wait)
			continue
		}
		transactions, records = transactions+1, records+len(work.records)
		work.took = time.Duration(len(work.records)) * 10 * time.Microsecond
		now = now.Add(work.took)
		for i, p := range work.partitions {
			p.busy = false
			p.applied(work.taken[i], work.transaction.Moves[i].To, 0, now)
		}
		a.caughtUp(work, now)
	}
	require.InEpsilon(t, partitions*2500/6, records, 0.1)
	require.Less(t, transactions, 2*10*int(time.Second/spreadStep))
}

// Transactions are short where a backlog is to leave the machine to others, and the first one is
// small. Where its time was not enough, they are as long as others from then on.
func TestCatchUp_isUnnoticed(t *testing.T) {
	t.Parallel()
	paces := func(a *applier, first int, long time.Duration) {
		t.Helper()
		for _, p := range []pace{a.short, a.long} {
			require.Equal(t, first, p.next())
			require.Equal(t, long, p.quickly)
		}
	}
	paces(newApplier(&Worker{cfg: Config{MaxBatch: 4000}}, 0, nil), firstCommands, quickly)
	a, now := newApplier(&Worker{cfg: Config{MaxBatch: 4000, CatchUpTime: time.Minute, StallTimeout: time.Minute}}, 0, nil), time.Now()
	a.partitions = waitingPartitions(5000)
	paces(a, firstOfBacklog, unnoticed)
	for _, by := range []time.Duration{1, 0} {
		work, _ := a.pick(now)
		work.took = time.Second
		a.partitions[0].catchUp = catchUp{by: now.Add(by), from: 5000, last: now}
		paces(a, firstOfBacklog, unnoticed)
		a.caughtUp(work, now)
		work.release()
	}
	paces(a, firstOfBacklog, quickly)
}

// Nobody rests while there is no room for what comes.
func TestCatchUp_leavesRoom(t *testing.T) {
	t.Parallel()
	w, now := &Worker{cfg: Config{MaxBatch: 4000, CatchUpTime: time.Hour, StallTimeout: time.Minute}}, time.Now()
	a := newApplier(w, 0, nil)
	a.partitions = waitingPartitions(5000, 0)
	w.appliers, w.partitions = []*applier{a}, map[TopicPartition]*partition{}
	for _, p := range a.partitions {
		w.partitions[p.name] = p
	}
	rests := func() bool {
		work, _ := a.pick(now)
		work.took = time.Second
		a.caughtUp(work, now)
		work.release()
		return !a.partitions[0].ready(now)
	}
	require.True(t, rests())
	require.Equal(t, time.Hour, a.spreads(now))
	a.partitions[1].fetch.noRoomAt = now
	w.endRests()
	require.False(t, rests())
	require.Zero(t, a.spreads(now.Add(noRoomFor)))
	a.short.quick, a.long.quick = 4000, 4000
	work, _ := a.pick(now)
	require.Len(t, work.records, 4000, "transactions are as large as they can be, too")
	work.took = time.Second
	a.partitions[0].catchUp = catchUp{by: now, from: 5000, last: now.Add(-1)}
	a.caughtUp(work, now)
	work.release()
	require.Equal(t, now, a.partitions[0].catchUp.last, "its time goes on")
	require.Equal(t, quickly, a.short.quickly)
	a.partitions[0].catchUp = catchUp{}
	require.Equal(t, time.Hour, a.spreads(now.Add(noRoomFor+1)), "it does not wait any more")
	a.partitions[1].fetch.came()
	require.True(t, rests())
}
