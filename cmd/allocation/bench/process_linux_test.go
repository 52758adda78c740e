package bench

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListenerOf_findsThisProcess(t *testing.T) {
	t.Parallel()
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
