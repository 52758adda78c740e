package local

import (
	"net"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A caller that asks for several ports listens on them only when it has them all. Tests of several
// packages ask in processes of their own: the UDP socket is what tells one of the others.
func TestFreePort_givesNoneTwice(t *testing.T) {
	t.Parallel()
	given := map[int]bool{}
	for range 300 {
		port, err := FreePort()
		require.NoError(t, err)
		require.False(t, given[port], "port %d", port)
		given[port] = true
		_, err = net.ListenPacket("udp", loopback(port))
		require.Error(t, err, "port %d is free for another process", port)
	}
}

// Servers are started side by side: a port is free at once, whatever programs start meanwhile.
func TestFreePort_isFreeWhileProgramsStart(t *testing.T) {
	t.Parallel()
	var programs sync.WaitGroup
	for range 4 {
		programs.Go(func() {
			for range 200 {
				assert.NoError(t, exec.CommandContext(t.Context(), "true").Run())
			}
		})
	}
	for range 2000 {
		port, err := FreePort()
		require.NoError(t, err)
		require.NoError(t, checkPort("Postgres", loopback(port), ""))
		socket, _ := claims.LoadAndDelete(port) // others need ports, too
		require.NoError(t, socket.(net.PacketConn).Close())
	}
	programs.Wait()
}

// A port that somebody listens on is not free.
func TestFreePort_leavesWhatIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", loopback(0))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	port := taken.Addr().(*net.TCPAddr).Port
	_, err = claim(port)
	require.ErrorContains(t, err, "is in use")
}
