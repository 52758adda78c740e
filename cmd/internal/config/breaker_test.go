package config

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// silentListener takes connections, and answers those that it is told to.
func silentListener(t *testing.T, answers <-chan bool) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			if <-answers {
				_, _ = conn.Write([]byte("answer"))
			}
		}
	}()
	return listener.Addr().String()
}

// hear waits for an answer for a moment.
func hear(conn net.Conn) error {
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	_, err := conn.Read(make([]byte, 6))
	return err
}

func TestDialer_refusesABrokerThatDoesNotAnswerToAllButOne(t *testing.T) {
	answers := make(chan bool, 3)
	address := silentListener(t, answers)
	dial := Kafka{}.Dialer()
	connect := func() (net.Conn, error) { return dial(context.Background(), "tcp", address) }
	must := func() net.Conn {
		conn, err := connect()
		require.NoError(t, err)
		return conn
	}
	refused := func() bool {
		conn, err := connect()
		if err == nil {
			require.NoError(t, conn.Close())
		}
		return err != nil
	}

	answers <- false
	require.Error(t, hear(must()))
	_, err := connect()
	require.ErrorContains(t, err, "dial tcp "+address+": it did not answer a moment ago")
	timeout := net.Error(nil)
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "the client asks others, and later this one again")

	answers <- true
	var trial net.Conn
	require.Eventually(t, func() bool { trial, err = connect(); return err == nil }, 10*silentPause, 10*time.Millisecond)
	require.True(t, refused(), "somebody tries it")
	require.NoError(t, hear(trial))
	answers <- false
	require.False(t, refused(), "it answered")
}

func TestDialer_triesABrokerAgainWhoseTrialWasGivenUp(t *testing.T) {
	answers := make(chan bool, 3)
	address := silentListener(t, answers)
	dial := Kafka{}.Dialer()
	answers <- false
	conn, err := dial(t.Context(), "tcp", address)
	require.NoError(t, err)
	require.Error(t, hear(conn))
	for range 2 {
		answers <- false
		require.Eventually(t, func() bool { conn, err = dial(t.Context(), "tcp", address); return err == nil }, 10*silentPause, 10*time.Millisecond)
		require.NoError(t, conn.Close())
	}
}
