package store

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBreather_pausesOnlyInVeryManyRows(t *testing.T) {
	for rows, want := range map[int]time.Duration{
		5_000: 0, 6_000: breath, 100_000: 95 * breath,
	} {
		synctest.Test(t, func(t *testing.T) {
			var b Breather
			began := time.Now()
			for range rows {
				b.Row()
			}
			require.Equal(t, want, time.Since(began), "%d rows", rows)
		})
	}
}
