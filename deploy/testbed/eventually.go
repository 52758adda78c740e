package testbed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Eventually waits until something holds that is to come by itself. What works never takes until
// its limit, however busy the machine is: how long something may take is not what it tests. It asks
// in the test's own goroutine, so what asks may end the test.
func Eventually(t testing.TB, holds func() bool, msgAndArgs ...any) {
	t.Helper()
	const limit, interval = 2 * time.Minute, 20 * time.Millisecond
	end := time.After(limit)
	again := time.NewTicker(interval)
	defer again.Stop()
	for !holds() {
		select {
		case <-end:
			require.Fail(t, "it did not come to be", msgAndArgs...)
		case <-again.C:
		}
	}
}
