package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestXidClock_tellsAgesFromFewSamples(t *testing.T) {
	t.Parallel()
	var c xidClock
	start := time.Now()
	require.Zero(t, c.age(start, 1))
	const samples = 100_000
	var now time.Time
	for i := range samples {
		now = start.Add(time.Duration(i) * 15 * time.Second)
		c.note(now, 1000+int64(i))
		require.Less(t, len(c.samples), 500)
	}
	for _, ago := range []int64{0, 1, 2, 10, 100, 1000, 50_000} {
		age := c.age(now, 1000+samples-1-ago)
		require.InEpsilon(t, float64(1+ago), 1+age.Seconds()/15, 2./precision, "%d", ago)
	}
	require.Equal(t, now.Sub(start), c.age(now, 17), "it is at least so old")

	c.note(now, 17)
	require.Len(t, c.samples, 1, "of another server, they tell nothing")
}
