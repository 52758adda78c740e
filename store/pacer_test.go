package store

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPacer_pausesOnlyInVeryManyRows(t *testing.T) {
	for rows, want := range map[int]time.Duration{
		5_000: 0, 6_000: pacePause, 100_000: 95 * pacePause,
	} {
		synctest.Test(t, func(t *testing.T) {
			var p Pacer
			began := time.Now()
			for range rows {
				p.Row()
			}
			require.Equal(t, want, time.Since(began), "%d rows", rows)
		})
	}
}
