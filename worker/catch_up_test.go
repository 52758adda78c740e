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
		largest  int // transaction after the first second, while it is spread
	}{
		"as fast as it goes":          {backlog: 10_000, from: 2 * time.Second, to: 2 * time.Second},
		"evenly":                      {backlog: 10_000, time: 10 * time.Second, from: 9600 * time.Millisecond, to: 10100 * time.Millisecond, largest: 201},
		"with a tenth of what it can": {backlog: 10_000, time: 10 * time.Second, comes: 500, from: 9600 * time.Millisecond, to: 10100 * time.Millisecond, largest: 301},
		"with half of what it can":    {backlog: 10_000, time: 10 * time.Second, comes: 2500, from: 9600 * time.Millisecond, to: 10200 * time.Millisecond, largest: most},
		"sooner where it is small":    {backlog: 10_000, time: time.Hour, from: 1190 * time.Second, to: 1255 * time.Second, largest: quickLeast},
		"more than there is time":     {backlog: 10_000, time: time.Second, from: 2 * time.Second, to: 2100 * time.Millisecond, largest: most},
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
					spread.applied(now, c.time, spreadRest, load{int64(part), int64(left), each, int64(left)}, true)
				}
				if spread.until.After(now) {
					now = spread.until
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
			require.LessOrEqual(t, largest, c.largest)
			require.GreaterOrEqual(t, now.Sub(began), c.from)
			require.LessOrEqual(t, now.Sub(began), c.to)
		})
	}
}

// Whether there is a backlog is found out at first. A service that has just started is slow.
func TestCatchUp_isNoneWhereItGoesFaster(t *testing.T) {
	t.Parallel()
	var spread catchUp
	now := time.Now()
	note := func(each time.Duration, left int64) {
		spread.applied(now, time.Minute, spreadRest, load{1, left, each, left}, true)
	}
	note(time.Millisecond, 1000)
	require.Zero(t, spread, "a second of work")
	note(time.Millisecond, 1001)
	require.True(t, spread.until.After(now))
	note(time.Microsecond, 1000)
	require.Zero(t, spread)

	note(time.Millisecond, 2000)
	now = now.Add(time.Minute / foundWithin)
	note(time.Microsecond, 1000)
	require.True(t, spread.until.After(now), "it is not asked any more")
}

// Each backlog has a time of its own. One is over when few records are left that take no time, or
// nothing waits for long any more when its time is over.
func TestCatchUp_beginsAnew(t *testing.T) {
	t.Parallel()
	var spread catchUp
	now := time.Now()
	note := func(each time.Duration, left int64, stale bool) {
		spread.applied(now, time.Minute, spreadRest, load{1, left, each, left}, stale)
	}
	begin := func() {
		note(time.Millisecond, 2000, true)
		require.Equal(t, now.Add(time.Minute), spread.by)
	}
	begin()
	now = now.Add(30 * time.Second)
	note(time.Second, 16, true)
	require.NotZero(t, spread, "16 s are left")
	note(time.Millisecond, 17, true)
	require.True(t, spread.until.After(now), "many are left")
	now = spread.until
	note(time.Millisecond, 17, false)
	require.NotZero(t, spread, "one record is younger")
	require.False(t, spread.until.After(now), "and does not wait")
	note(time.Millisecond, 16, true)
	require.Zero(t, spread)

	begin()
	now = now.Add(time.Minute)
	note(time.Millisecond, 1000, true)
	require.False(t, spread.until.After(now), "it goes as fast as it can")
	require.Greater(t, spread.part(now, time.Minute, 1000), 1000)
	note(time.Millisecond, 1000, false)
	require.Zero(t, spread)
	begin()
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
	require.Equal(t, cfg.StallTimeout/2, a.partitions[0].catchUp.until.Sub(now), "it is not taken for one that stands still")

	work, wait := a.pick(now)
	require.Nil(t, work)
	require.Equal(t, cfg.StallTimeout/2, wait)
	rush.busy, alone.busy = false, false
	seen := map[int32]bool{}
	for range 2 {
		numbers, _ := chosen(a, now)
		require.Len(t, numbers, 1)
		seen[numbers[0]] = true
	}
	require.Equal(t, map[int32]bool{1: true, 2: true}, seen)
	rush.busy, alone.busy = true, true
	numbers, _ := chosen(a, now.Add(wait))
	require.Equal(t, []int32{0}, numbers)
}

// Transactions are short where a backlog is to leave the machine to others, and the first one is
// small.
func TestCatchUp_isUnnoticed(t *testing.T) {
	t.Parallel()
	for catchUp, want := range map[time.Duration]pace{0: newPace(4000, firstCommands), time.Minute: newPace(4000, firstOfBacklog)} {
		if catchUp > 0 {
			want.quickly = unnoticed
		}
		a := newApplier(&Worker{cfg: Config{MaxBatch: 4000, CatchUpTime: catchUp}}, 0, nil)
		require.Equal(t, want, a.long)
		require.Equal(t, want, a.short)
	}
}
