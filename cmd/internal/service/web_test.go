package service

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// startWeb serves health and metrics, with times short enough for a test.
func startWeb(t *testing.T) (addr string) {
	t.Helper()
	return serveWeb(t, newReadiness())
}

func serveWeb(t *testing.T, ready *readiness) (addr string) {
	t.Helper()
	listener, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	w := newWeb(listener, prometheus.NewRegistry(), ready, nil, slog.New(slog.DiscardHandler))
	require.Equal(t, []time.Duration{readTime, readTime, writeTime, idleTime},
		[]time.Duration{w.server.ReadHeaderTimeout, w.server.ReadTimeout, w.server.WriteTimeout, w.server.IdleTimeout})
	const short = 200 * time.Millisecond
	w.server.ReadHeaderTimeout, w.server.ReadTimeout, w.server.WriteTimeout, w.server.IdleTimeout = short, short, short, short
	serve(t, w)
	return listener.Addr().String()
}

func serve(t *testing.T, w *web) {
	t.Helper()
	serving := newParts(t.Context())
	serving.run(w.run)
	t.Cleanup(func() { require.True(t, serving.stop(stopTime)) })
}

// ask sends a request over a connection of its own, and returns the status.
func ask(t *testing.T, addr, method, path string, body io.Reader, header http.Header) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, body)
	require.NoError(t, err)
	request.Header = header
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

func TestWeb_onlyAnswersQuestions(t *testing.T) {
	t.Parallel()
	addr := startWeb(t)
	for path, status := range map[string]int{"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/metrics": http.StatusOK} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			require.Equal(t, status, ask(t, addr, method, path, nil, http.Header{}), method+path)
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "FROB"} {
			require.Equal(t, http.StatusMethodNotAllowed, ask(t, addr, method, path, nil, http.Header{}), method+path)
		}
	}
	for _, path := range []string{"/", "/debug/pprof/", "/livez/", "/metrics/x"} {
		require.Equal(t, http.StatusNotFound, ask(t, addr, http.MethodGet, path, nil, http.Header{}), path)
	}
}

func TestWeb_refusesLargeRequests(t *testing.T) {
	t.Parallel()
	addr := startWeb(t)
	large := http.Header{"X-Large": {strings.Repeat("x", 2*maxHeaderBytes)}}
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, ask(t, addr, http.MethodGet, "/livez", nil, large))

	conn := dial(t, addr)
	_, err := fmt.Fprintf(conn, "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	requireHungUp(t, conn)
}

func TestWeb_hangsUpOnSlowClients(t *testing.T) {
	t.Parallel()
	addr := startWeb(t)
	silent, halfway, idle := dial(t, addr), dial(t, addr), dial(t, addr)
	_, err := fmt.Fprint(halfway, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	require.NoError(t, err)
	_, err = fmt.Fprint(idle, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, ask(t, addr, http.MethodGet, "/livez", nil, http.Header{}), "others are served")
	for _, conn := range []net.Conn{silent, halfway, idle} {
		requireHungUp(t, conn)
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// requireHungUp reads what is left, which ends when the server hangs up.
func requireHungUp(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := io.Copy(io.Discard, conn)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server did not hang up")
}
