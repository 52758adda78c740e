package local

import (
	"net"
	"testing"

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
