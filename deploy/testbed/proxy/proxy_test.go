package proxy

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup gives a proxy, a client's connection through it, and the server's end of that.
func setup(t *testing.T) (p *Proxy, client, server *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	p, err = New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	p.Lead(listener.Addr().String())
	client, server = dial(t, p), accept(t, listener)
	say(t, client, "!") // the server accepts before the proxy has both ends: what came through shows that it has
	_, err = io.ReadFull(server, make([]byte, 1))
	require.NoError(t, err)
	return p, client, server
}

func dial(t *testing.T, p *Proxy) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

func accept(t *testing.T, listener net.Listener) *net.TCPConn {
	t.Helper()
	conn, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := conn.Write([]byte(text))
	require.NoError(t, err)
}

func hear(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	got := make([]byte, len(want))
	_, err := io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// silent wants nothing to come for a moment.
func silent(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	n, err := conn.Read(make([]byte, 1))
	require.Zero(t, n)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
}

func TestProxy_carriesBothWays(t *testing.T) {
	t.Parallel()
	_, client, server := setup(t)
	say(t, client, "question")
	hear(t, server, "question")
	say(t, server, "answer")
	hear(t, client, "answer")

	require.NoError(t, client.CloseWrite())
	_, err := server.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	say(t, server, "late")
	hear(t, client, "late")
}

func TestProxy_holdsAndReleases(t *testing.T) {
	t.Parallel()
	p, client, server := setup(t)
	p.Hold(Down)
	say(t, client, "question")
	hear(t, server, "question")
	say(t, server, "answer")
	silent(t, client)
	p.Release()
	hear(t, client, "answer")
}

func TestProxy_delays(t *testing.T) {
	t.Parallel()
	p, client, server := setup(t)
	p.Delay(100*time.Millisecond, 10*time.Millisecond)
	began := time.Now()
	say(t, client, "question")
	hear(t, server, "question")
	require.GreaterOrEqual(t, time.Since(began), 90*time.Millisecond)
}

func TestProxy_cutsWhatIsHeld(t *testing.T) {
	t.Parallel()
	p, client, server := setup(t)
	p.Hold(Up, Down)
	say(t, client, "question")
	silent(t, server)
	p.Cut()
	for _, conn := range []*net.TCPConn{client, server} {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		n, err := conn.Read(make([]byte, 1))
		require.Zero(t, n)
		require.Error(t, err)
	}
}

func TestProxy_cutsInTheMiddle(t *testing.T) {
	t.Parallel()
	p, client, server := setup(t)
	p.CutWithin(1000)
	_, _ = client.Write(bytes.Repeat([]byte("x"), 1_000_000))
	require.NoError(t, server.SetReadDeadline(time.Now().Add(10*time.Second)))
	got, _ := io.ReadAll(server)
	require.LessOrEqual(t, len(got), 1000)
}

func TestProxy_refuses(t *testing.T) {
	t.Parallel()
	p, _, _ := setup(t)
	p.Refuse(true)
	conn, err := net.Dial("tcp", p.Addr())
	if err == nil { // the reset may come before or after
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	require.Error(t, err)
}
