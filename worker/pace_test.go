package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPace_takesFewerWhereOneFailsOrOthersAreFirst(t *testing.T) {
	t.Parallel()
	p := newPace(1000, firstCommands)
	require.False(t, p.failed(1000))
	require.Equal(t, 15, p.limit)
	for range 10 {
		p.committed(15)
	}
	require.Equal(t, 15, p.limit, "it is among the others")
	require.False(t, p.failed(15))
	require.Equal(t, 1, p.limit)
	require.True(t, p.failed(1))
	p.committed(1)
	require.Equal(t, 2, p.limit)

	p = newPace(1000, firstCommands)
	require.False(t, p.locksFirst(1))
	require.Zero(t, p.conflicted(100))
	require.Equal(t, 1000, p.limit, "once is no reason")
	require.True(t, p.locksFirst(fewToLock))
	require.False(t, p.locksFirst(fewToLock+1), "many keys would be locked")
	p.conflicted(100)
	require.Equal(t, 50, p.limit)
	require.Positive(t, p.conflicted(50))
	first, later := p.outage(), time.Duration(0)
	for range 10 {
		later = p.outage()
	}
	require.LessOrEqual(t, first, 100*time.Millisecond)
	require.GreaterOrEqual(t, later, time.Second)
	p.committed(12)
	require.Equal(t, 50, p.limit)
	require.False(t, p.locksFirst(1))
}

// A transaction takes as many commands as are quick, unless it takes long without any.
func TestPace_takesAsManyAsAreQuick(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fixed, each time.Duration
		least, most int
	}{
		"quick ones":                       {fixed: 2 * time.Millisecond, each: 5 * time.Microsecond, least: 4000, most: 4000},
		"slow ones":                        {fixed: 2 * time.Millisecond, each: time.Millisecond, least: 90, most: 98},
		"very slow ones":                   {fixed: 2 * time.Millisecond, each: time.Second, least: quickLeast, most: quickLeast},
		"quick ones, and a slow database":  {fixed: 150 * time.Millisecond, each: 5 * time.Microsecond, least: 4000, most: 4000},
		"slow ones, and a slower database": {fixed: 200 * time.Millisecond, each: time.Millisecond, least: 100, most: 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPace(4000, firstCommands)
			for n := range 100 {
				next := p.next()
				if n > 10 {
					require.GreaterOrEqual(t, next, c.least)
					require.LessOrEqual(t, next, c.most)
				}
				p.measured(sample{1, time.Minute}) // it did not have all that it may
				require.Equal(t, next, p.next())
				p.measured(sample{next, c.fixed + time.Duration(next)*c.each})
			}
		})
	}
	p := newPace(4000, firstCommands)
	p.measured(sample{1000, time.Hour})
	require.Equal(t, 125, p.next(), "one that stood still is no reason for very few")
}
