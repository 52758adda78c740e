package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A backlog is spread over the time that it may take. What comes meanwhile makes it quicker, and
// when the time is over it goes as fast as it can.
func TestCatchUp_spreadsABacklog(t *testing.T) {
	t.Parallel()
	const each, took = 100, 20 * time.Millisecond
	for name, c := range map[string]struct {
		time     time.Duration
		comes    int64 // after each transaction
		from, to time.Duration
	}{
		"as fast as it goes":      {from: 2 * time.Second, to: 2 * time.Second},
		"evenly":                  {time: 10 * time.Second, from: 9900 * time.Millisecond, to: 10100 * time.Millisecond},
		"with what comes":         {time: 10 * time.Second, comes: 5, from: 9900 * time.Millisecond, to: 10200 * time.Millisecond},
		"sooner where it is soon": {time: time.Hour, from: 19 * time.Second, to: 20 * time.Second},
		"more than there is time": {time: time.Second, from: 2 * time.Second, to: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spread, began := catchUp{time: c.time}, time.Now()
			now := began
			for left := int64(10_000); left > 0; left += c.comes {
				spread.see(now, true, false)
				now, left = now.Add(took), left-each
				now = now.Add(spread.rest(now, took, each, max(0, left)))
			}
			require.GreaterOrEqual(t, now.Sub(began), c.from)
			require.LessOrEqual(t, now.Sub(began), c.to)
		})
	}
}

// Each backlog has a time of its own.
func TestCatchUp_beginsAnew(t *testing.T) {
	t.Parallel()
	spread, now := catchUp{time: time.Minute}, time.Now()
	spread.see(now, true, false)
	require.Equal(t, unnoticed, spread.quickly(now))
	now = now.Add(2 * time.Minute)
	spread.see(now, true, false)
	require.Equal(t, quickly, spread.quickly(now))
	require.Zero(t, spread.rest(now, time.Millisecond, 1, 1000))
	spread.see(now, false, false) // some are being fetched
	require.Equal(t, quickly, spread.quickly(now))
	spread.see(now, false, true)
	spread.see(now, true, false)
	require.Equal(t, unnoticed, spread.quickly(now))
	require.Positive(t, spread.rest(now, time.Millisecond, 1, 1000))
}

// What waits for a producer's transaction is no backlog: nobody may apply it.
func TestCatchUp_countsWhatMayBeApplied(t *testing.T) {
	t.Parallel()
	a := newApplier(&Worker{cfg: Config{MaxBatch: 100}}, 0, nil)
	a.partitions = waitingPartitions(10, 0)
	require.EqualValues(t, 10, a.lag())
	p := a.partitions[0]
	p.log.see(p.next+30, p.next+90, time.Now())
	require.EqualValues(t, 30, a.lag())
}
