package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// AddrInUseError says that another program listens where a server should.
type AddrInUseError struct {
	Server string // Kafka or Postgres
	Addr   string
	Flag   string // how the user chooses another, such as --postgres-port; may be empty
}

func (e *AddrInUseError) Error() string {
	_, port, _ := net.SplitHostPort(e.Addr)
	message := fmt.Sprintf("port %s, for %s, is in use by another program", port, e.Server)
	if e.Flag != "" {
		message += ": stop that, or choose another port with " + e.Flag
	}
	return message
}

// Ports below the range of outgoing connections (Linux from 32768 on): a connection must not take
// one before the server does.
const (
	firstPort = 20_000
	ports     = 12_000
)

// claims keeps the sockets that FreePort opens: one that nothing refers to is closed.
var claims sync.Map

// FreePort returns a port of the loopback interface that nobody listened on a moment ago. No
// process that calls FreePort is given the same one as long as this process lives: a UDP socket of
// the same number, which no server here uses, tells them.
func FreePort() (int, error) {
	const attempts = 100
	var err error
	for range attempts {
		port := firstPort + rand.N(ports)
		var socket net.PacketConn
		if socket, err = claim(port); err == nil {
			claims.Store(port, socket)
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port after %d attempts: %w", attempts, err)
}

// claim keeps a port from other processes that call FreePort.
func claim(port int) (net.PacketConn, error) {
	socket, err := net.ListenPacket("udp", loopback(port))
	if err != nil {
		return nil, err
	}
	if err := nobodyListens(port); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return socket, nil
}

// nobodyListens returns an error where a connection to the port is not refused. It does not listen
// itself: a program that starts at that moment has a copy of the socket, and keeps the port for a
// few milliseconds after it was closed here.
func nobodyListens(port int) error {
	conn, err := net.DialTimeout("tcp", loopback(port), time.Second)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(fmt.Errorf("port %d is in use", port), conn.Close())
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// checkPort returns an AddrInUseError when somebody listens on the address.
func checkPort(server, addr, flag string) error {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &AddrInUseError{Server: server, Addr: addr, Flag: flag}
	}
	if err != nil {
		return fmt.Errorf("listen on %s for %s: %w", addr, server, err)
	}
	return listener.Close()
}
