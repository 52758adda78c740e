package config

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// silentPause is for how long a broker that did not answer is left alone.
	silentPause = time.Second
	// silentAfter is how long a broker must have had for an answer, to be called silent.
	silentAfter = time.Second
)

// breaker is a circuit breaker for the connections to each address. Where the network drops packets
// to a broker, each request that any broker could answer waits for that one in its turn, and a
// client's requests wait one after the other. So after the first such wait, connections to the
// address are refused at once, as if its port was closed. One at a time may try it again.
type breaker struct {
	dial Dialer

	mu     sync.Mutex
	silent map[string]*silence // by address
}

// silence is what is known of an address that does not answer.
type silence struct {
	again  time.Time // it may be tried
	trying bool      // somebody does
}

func newBreaker(dial Dialer) *breaker { return &breaker{dial: dial, silent: map[string]*silence{}} }

// connect opens a connection, unless the address is silent and others wait for it already.
func (b *breaker) connect(ctx context.Context, network, address string) (net.Conn, error) {
	trial, err := b.admit(network, address)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	conn, err := b.dial(ctx, network, address)
	if err != nil {
		b.end(address, trial, isTimeout(err) && time.Since(began) >= silentAfter)
		return nil, err
	}
	return &firstAnswer{Conn: conn, breaker: b, address: address, trial: trial}, nil
}

// admit lets a connection be opened, and reports whether it is the one that tries a silent address.
func (b *breaker) admit(network, address string) (trial bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.silent[address]
	if s == nil {
		return false, nil
	}
	if s.trying || time.Now().Before(s.again) {
		return false, &net.OpError{Op: "dial", Net: network, Addr: name(address), Err: silentError{}}
	}
	s.trying = true
	return true, nil
}

// end hears how a connection to an address without an answer ended.
func (b *breaker) end(address string, trial, silent bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.silent[address]
	if s == nil {
		if !silent {
			return
		}
		s = &silence{}
		b.silent[address] = s
	}
	if trial {
		s.trying = false
	}
	if silent {
		s.again = time.Now().Add(silentPause)
	}
}

// answered hears that an address has answered.
func (b *breaker) answered(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.silent, address)
}

// firstAnswer is a connection that reports whether anything comes on it.
type firstAnswer struct {
	net.Conn
	breaker *breaker
	address string
	trial   bool
	told    sync.Once
}

func (f *firstAnswer) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	f.told.Do(func() {
		if n > 0 {
			f.breaker.answered(f.address)
			return
		}
		f.breaker.end(f.address, f.trial, isTimeout(err))
	})
	return n, err
}

func (f *firstAnswer) Close() error {
	f.told.Do(func() { f.breaker.end(f.address, f.trial, false) })
	return f.Conn.Close()
}

func isTimeout(err error) bool {
	n := net.Error(nil)
	return errors.As(err, &n) && n.Timeout()
}

// silentError is a timeout, so that the client treats it like the one that it stands for.
type silentError struct{}

func (silentError) Error() string   { return "it did not answer a moment ago, and is being tried" }
func (silentError) Timeout() bool   { return true }
func (silentError) Temporary() bool { return true }

// name is an address that was not resolved.
type name string

func (name) Network() string  { return "tcp" }
func (n name) String() string { return string(n) }
