package e2e

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// binary builds the program with faults.
func binary(t testing.TB) string {
	t.Helper()
	path, err := built()
	require.NoError(t, err)
	return path
}

var built = sync.OnceValues(func() (string, error) {
	var flags []string
	if raceDetector {
		flags = append(flags, "-race")
	}
	return testbed.Build("allocation/cmd/allocation/e2e/faulty", flags...)
})

// itself makes the arena run the program as users have it, where what it takes is measured: without
// faults and without the race detector.
func (a *arena) itself() *arena {
	a.t.Helper()
	var err error
	a.program, err = builtItself()
	require.NoError(a.t, err)
	return a
}

var builtItself = sync.OnceValues(func() (string, error) { return testbed.Build("allocation/cmd/allocation") })
