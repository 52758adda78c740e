package service

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// idleConnections bounds connections of HTTP on which nothing is asked: past the bound, the one
// that has been idle for longest is closed. Each costs a descriptor and 19 kB.
type idleConnections struct {
	most int

	mu    sync.Mutex
	order *list.List // of net.Conn, idle for longest first
	at    map[net.Conn]*list.Element
}

func newIdleConnections(most int) *idleConnections {
	return &idleConnections{most: most, order: list.New(), at: map[net.Conn]*list.Element{}}
}

// see is an http.Server's ConnState.
func (i *idleConnections) see(conn net.Conn, state http.ConnState) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if e := i.at[conn]; e != nil {
		i.forget(e)
	}
	if state != http.StateNew && state != http.StateIdle { // one that is new has asked nothing yet
		return
	}
	i.at[conn] = i.order.PushBack(conn)
	if i.order.Len() > i.most {
		oldest := i.order.Front()
		i.forget(oldest)
		_ = oldest.Value.(net.Conn).Close()
	}
}

func (i *idleConnections) forget(e *list.Element) {
	i.order.Remove(e)
	delete(i.at, e.Value.(net.Conn))
}
