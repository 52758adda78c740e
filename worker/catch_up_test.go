package worker

import (
	"slices"
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
		"evenly":                      {backlog: 10_000, time: 10 * time.Second, from: 9600 * time.Millisecond, to: 10100 * time.Millisecond, largest: 101},
		"with a tenth of what it can": {backlog: 10_000, time: 10 * time.Second, comes: 500, from: 9600 * time.Millisecond, to: 10100 * time.Millisecond, largest: 151},
		"with half of what it can":    {backlog: 10_000, time: 10 * time.Second, comes: 2500, from: 9600 * time.Millisecond, to: 10200 * time.Millisecond, largest: 370},
		"sooner where it is small":    {backlog: 10_000, time: time.Hour, from: 1190 * time.Second, to: 1255 * time.Second, largest: quickLeast},
		"more than there is time":     {backlog: 10_000, time: time.Second, from: 2 * time.Second, to: 2100 * time.Millisecond, largest: most},
		"a moment's rush":             {backlog: 4900, time: time.Hour, from: 980 * time.Millisecond, to: 980 * time.Millisecond, largest: most},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spread, began := catchUp{time: c.time, stall: time.Minute}, time.Now()
			now, left, largest := began, float64(c.backlog), 0
			for left >= 1 {
				before, part := now, min(most, int(left), spread.part(now, int64(left)))
				took := each * time.Duration(part)
				now, left = now.Add(took), left-float64(part)
				now = now.Add(min(spread.rest(now, took, int64(part), int64(left)), spread.most(1)))
				left += c.comes * now.Sub(before).Seconds()
				if before.Sub(began) >= time.Second && before.Sub(began) < c.time {
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

// Partitions that are fetched a moment later belong to the backlog.
func TestCatchUp_findsMoreAtFirst(t *testing.T) {
	t.Parallel()
	spread, now := catchUp{time: time.Minute}, time.Now()
	require.Positive(t, spread.rest(now, time.Second, 1, 1000))
	now = now.Add(time.Second)
	require.Zero(t, spread.rest(now, time.Second, 1, 4000), "it is not far enough")
	require.Positive(t, spread.rest(now, time.Second, 1, 3900))
	now = now.Add(9 * time.Second)
	require.Zero(t, spread.rest(now, time.Second, 1, 8000), "what comes that late is no part of it")
	require.Zero(t, spread.rest(now, time.Second, 1, 3900))
	require.Positive(t, spread.rest(now, time.Second, 1, 3300))
}

// A partition that waits for its turn is not taken for one that stands still.
func TestCatchUp_restsNoLongerThanAPartitionMayStand(t *testing.T) {
	t.Parallel()
	for partitions, most := range map[int]time.Duration{1: spreadRest, 7: spreadRest, 16: 30 * time.Second / 32} {
		a, now := newApplier(&Worker{cfg: Config{MaxBatch: 4000, CatchUpTime: time.Hour, StallTimeout: 30 * time.Second}}, 0, nil), time.Now()
		a.partitions = waitingPartitions(slices.Repeat([]int{5000}, partitions)...)
		work, _ := a.pick(now)
		work.took = time.Second
		a.caughtUp(work, now)
		require.Equal(t, most, a.catchUp.until.Sub(now), "%d partitions", partitions)
	}
}

// Each backlog has a time of its own.
func TestCatchUp_beginsAnew(t *testing.T) {
	t.Parallel()
	spread, now := catchUp{time: time.Minute}, time.Now()
	begin := func() { require.Positive(t, spread.rest(now, time.Millisecond, 1, 2000)) }
	begin()
	require.Equal(t, unnoticed, spread.quickly(now))
	now = now.Add(2 * time.Minute)
	require.Equal(t, quickly, spread.quickly(now))
	require.Zero(t, spread.rest(now, time.Millisecond, 1, 2000))
	spread.isLeft(501, 1000)
	require.Zero(t, spread.rest(now, time.Millisecond, 1, 2000), "half a second and more is left")
	spread.isLeft(500, 499)
	require.Zero(t, spread.rest(now, time.Millisecond, 1, 2000), "many are left")
	spread.isLeft(500, 500)
	require.Equal(t, unnoticed, spread.quickly(now), "also in a rush")
	begin()
	require.Equal(t, unnoticed, spread.quickly(now))
	spread = catchUp{}
	require.Equal(t, quickly, spread.quickly(now))
}

// The first transaction after a start is small where a backlog is to leave the machine to others.
func TestCatchUp_beginsWithFew(t *testing.T) {
	t.Parallel()
	for catchUp, first := range map[time.Duration]int{0: firstCommands, time.Minute: firstOfBacklog} {
		a := newApplier(&Worker{cfg: Config{MaxBatch: 4000, CatchUpTime: catchUp}}, 0, nil)
		require.Equal(t, first, a.long.next())
		require.Equal(t, first, a.short.next())
		a.long.measured(sample{first, time.Millisecond})
		require.Equal(t, 2*first, a.long.next())
	}
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

// A rush goes on while a backlog rests.
func TestCatchUp_restsWhatIsStale(t *testing.T) {
	t.Parallel()
	a, now := newApplier(&Worker{cfg: Config{MaxBatch: 4000, CatchUpTime: time.Minute, StallTimeout: time.Second}}, 0, nil), time.Now()
	a.partitions = waitingPartitions(50_000, 5000)
	for _, r := range a.partitions[1].queue.records {
		r.Timestamp = now
	}
	work, _ := a.pick(now)
	require.True(t, work.long)
	work.took = time.Second
	a.caughtUp(work, now)
	work.release()

	numbers, long := chosen(a, now)
	require.Equal(t, []int32{1}, numbers)
	require.True(t, long)
	a.partitions = a.partitions[:1]
	turn := a.turn
	work, wait := a.pick(now)
	require.Nil(t, work)
	require.Positive(t, wait)
	require.Equal(t, turn, a.turn, "nobody had a turn")
	numbers, _ = chosen(a, now.Add(wait))
	require.Equal(t, []int32{0}, numbers)
}
