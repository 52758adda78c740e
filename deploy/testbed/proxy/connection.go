package proxy

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// connection is a client's, and its continuation to the server.
type connection struct {
	proxy  *Proxy
	ends   [2]*net.TCPConn // by the way on which each is read
	fuse   atomic.Int64    // bytes until the client's words are cut; 0: no fuse
	over   chan struct{}
	finish sync.Once
}

func newConnection(p *Proxy, client, server *net.TCPConn) *connection {
	return &connection{proxy: p, ends: [2]*net.TCPConn{Up: client, Down: server}, over: make(chan struct{})}
}

// run carries data both ways until both have ended.
func (c *connection) run() {
	var ways sync.WaitGroup
	ways.Go(func() { c.pump(Up) })
	ways.Go(func() { c.pump(Down) })
	ways.Wait()
	c.close()
}

func (c *connection) close() {
	c.finish.Do(func() {
		close(c.over)
		c.ends[Up].Close()
		c.ends[Down].Close()
	})
}

// reset ends the connection as if a device between had forgotten it.
func (c *connection) reset() {
	_ = c.ends[Up].SetLinger(0)
	_ = c.ends[Down].SetLinger(0)
	c.close()
}

// pump carries data one way. Its end is passed on as an end; anything else ends both ways.
func (c *connection) pump(way Direction) {
	from, to := c.ends[way], c.ends[1-way]
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !c.carry(way, to, buffer[:n]) {
			c.reset()
			return
		}
		if err != nil {
			if c.await(way) && to.CloseWrite() == nil {
				return
			}
			c.reset()
			return
		}
	}
}

// carry passes data on when the weather allows; false when the connection is over.
func (c *connection) carry(way Direction, to *net.TCPConn, data []byte) bool {
	if !c.await(way) {
		return false
	}
	cut := false
	if left := c.fuse.Load(); way == Up && left > 0 {
		cut = left <= int64(len(data))
		data = data[:min(left, int64(len(data)))]
		c.fuse.Add(-int64(len(data)))
	}
	_, err := to.Write(data)
	return err == nil && !cut
}

// await waits out the weather; false when the connection is over first.
func (c *connection) await(way Direction) bool {
	for {
		weather, changed := c.proxy.now(way)
		switch {
		case weather.held:
			select {
			case <-changed:
				continue
			case <-c.over:
				return false
			}
		case weather.latency > 0:
			return c.rest(weather.latency + time.Duration((2*rand.Float64()-1)*float64(weather.jitter)))
		}
		return true
	}
}

func (c *connection) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.over:
		return false
	}
}
