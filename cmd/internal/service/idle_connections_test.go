package service

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// askAgain sends a request over a connection that is kept.
func askAgain(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

func TestWeb_closesTheConnectionsThatAreIdleForLongest(t *testing.T) {
	t.Parallel()
	listener, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	w := newWeb(listener, prometheus.NewRegistry(), newReadiness(), nil, slog.New(slog.DiscardHandler))
	serve(t, w)

	probe := dial(t, listener.Addr().String())
	var idle []net.Conn
	for n := range 2 * maxIdle {
		idle = append(idle, dial(t, listener.Addr().String()))
		require.NoError(t, askAgain(idle[n]))
		require.NoError(t, askAgain(probe), "one that is used is kept, with %d others", n+1)
	}
	const late = 16 // so many the server may have noticed as idle much later than they were
	testbed.Eventually(t, func() bool {
		closed := 0
		for _, conn := range idle[:maxIdle] {
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Millisecond)))
			if _, err := conn.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
				closed++
			}
		}
		return closed >= maxIdle-late
	})
	require.NoError(t, askAgain(idle[2*maxIdle-1]))
}
