package e2e

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// binary builds the program with faults.
func binary(t *testing.T) string {
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
