package local

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A caller that asks for several ports listens on them only when it has them all.
func TestFreePort_givesNoneTwice(t *testing.T) {
	t.Parallel()
	given := map[int]bool{}
	for range 500 {
		port, err := FreePort()
		require.NoError(t, err)
		require.False(t, given[port], "port %d", port)
		given[port] = true
	}
}
