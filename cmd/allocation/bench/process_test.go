package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseTimes_nameMayHoldAnything(t *testing.T) {
	t.Parallel()
	times, ok := parseTimes([]byte("12 (a) b (c)) S 7 12 12 0 -1 4194304 1 2 3 4 150 50 300 100 20 0 1"))
	require.True(t, ok)
	require.Equal(t, processTimes{parent: 7, own: 2, children: 4}, times)
	_, ok = parseTimes([]byte("12 (short) S 7"))
	require.False(t, ok)
}
