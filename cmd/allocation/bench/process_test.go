package bench

import (
	"net"
	"os"
	"runtime"
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

func TestListenerOf_findsThisProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	pid, ok := listenerOf(t.Context(), "localhost", port)
	require.True(t, ok)
	require.Equal(t, os.Getpid(), pid)
	_, ok = listenerOf(t.Context(), "192.0.2.1", port)
	require.False(t, ok, "another machine")
	seconds, ok := familySeconds(pid)
	require.True(t, ok)
	require.GreaterOrEqual(t, seconds, 0.0)
	require.Positive(t, peakMemory(pid))
}
