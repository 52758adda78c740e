// Package proxy stands between a client and a server, and makes the network between them bad.
//
// Its connections carry exactly what was sent, late, cut short, or not at all, as TCP does: no byte
// is lost in the middle of a stream. (Toxiproxy drops what it holds when a toxic is taken from a
// connection whose reader stands still for five seconds, and goes on: no network does that.)
//
// A Proxy owns its goroutines: one that accepts, and two for each connection. Close ends them all.
package proxy

import (
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// Direction is a way through a proxy.
type Direction int

// The ways.
const (
	Up   Direction = iota // from client to server
	Down                  // from server to client
)

// Proxy leads connections from its address to a server's.
type Proxy struct {
	listener *net.TCPListener
	running  sync.WaitGroup

	mu          sync.Mutex
	target      string
	connections map[*connection]bool
	weather     [2]weather
	refuses     bool
	closed      bool
	changed     chan struct{} // closed, and made anew, when the weather changes
}

// weather is what happens to bytes that go one way.
type weather struct {
	held            bool
	latency, jitter time.Duration
}

// New makes a proxy on a free port, which leads nowhere yet.
func New() (*Proxy, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, connections: map[*connection]bool{}, changed: make(chan struct{})}
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Lead sets the server of connections made from now on.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Delay makes each piece of data wait, both ways: for latency, more or less by jitter. Zero ends
// it.
func (p *Proxy) Delay(latency, jitter time.Duration) {
	p.change(func() {
		for way := range p.weather {
			p.weather[way].latency, p.weather[way].jitter = latency, jitter
		}
	})
}

// Hold lets nothing through on the given ways, and keeps connections open: a black hole, until
// Release.
func (p *Proxy) Hold(ways ...Direction) {
	p.change(func() {
		for _, way := range ways {
			p.weather[way].held = true
		}
	})
}

// Release lets everything through that Hold held, as a network does when it is back.
func (p *Proxy) Release() {
	p.change(func() { p.weather[Up].held, p.weather[Down].held = false, false })
}

// Refuse resets connections that are made from now on, or no longer.
func (p *Proxy) Refuse(refuses bool) { p.change(func() { p.refuses = refuses }) }

// Cut resets all connections. What they had not delivered is lost.
func (p *Proxy) Cut() {
	for _, c := range p.open() {
		c.reset()
	}
}

// CutWithin resets each connection in the middle of what its client sends, after at most so many
// bytes more.
func (p *Proxy) CutWithin(bytes int64) {
	for _, c := range p.open() {
		c.fuse.Store(1 + rand.Int64N(bytes))
	}
}

// Close ends all connections and returns when nothing runs any more.
func (p *Proxy) Close() error {
	p.change(func() { p.closed = true })
	err := p.listener.Close()
	p.Cut()
	p.running.Wait()
	return err
}

func (p *Proxy) open() []*connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.connections))
}

func (p *Proxy) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
	close(p.changed)
	p.changed = make(chan struct{})
}

// now is the weather of a way, and what is closed when it changes.
func (p *Proxy) now(way Direction) (weather, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.weather[way], p.changed
}

// accept takes connections until the listener is closed.
func (p *Proxy) accept() {
	for {
		client, err := p.listener.AcceptTCP()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client *net.TCPConn) {
	p.mu.Lock()
	target, refuses := p.target, p.refuses
	p.mu.Unlock()
	server, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil || refuses {
		_ = client.SetLinger(0)
		client.Close()
		if err == nil {
			server.Close()
		}
		return
	}
	c := newConnection(p, client, server.(*net.TCPConn))
	if !p.add(c) {
		c.reset()
		return
	}
	c.run()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.connections, c)
}

// add refuses a connection that was accepted just before the end, and which Close would not find.
func (p *Proxy) add(c *connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.connections[c] = true
	}
	return !p.closed
}
