// Package pooler is a connection pooler for Postgres in transaction mode, as PgBouncer is one: a
// client has a session of the server only while it is in a transaction, then the next client gets
// that session, with what was set and prepared in it. It exists so that tests need no program to be
// installed.
//
// A Pooler owns its goroutines: one that accepts, and one for each client. Close ends them all.
package pooler

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Pooler leads clients to a server.
type Pooler struct {
	config   *pgconn.Config
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	idle    []*pgconn.HijackedConn // the last one is taken first
	clients map[net.Conn]bool
	closed  bool
}

// New makes a pooler on a free port. It logs in to the server with the user of its URL, for all
// clients.
func New(url string) (*Pooler, error) {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Pooler{config: config, listener: listener, clients: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

// URL is where clients connect.
func (p *Pooler) URL() string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", p.config.User, p.listener.Addr(), p.config.Database)
}

// Close ends all connections.
func (p *Pooler) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for client := range p.clients {
		_ = client.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
	for _, session := range p.idle {
		_ = session.Conn.Close()
	}
}

func (p *Pooler) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.closed {
			_ = client.Close()
		}
		p.clients[client] = true
		p.running.Go(func() { p.serve(client) })
		p.mu.Unlock()
	}
}

func (p *Pooler) serve(client net.Conn) {
	defer func() {
		_ = client.Close()
		p.mu.Lock()
		delete(p.clients, client)
		p.mu.Unlock()
	}()
	if err := p.welcome(client); err != nil {
		return
	}
	var session *pgconn.HijackedConn
	defer func() {
		if session != nil { // it is in a transaction that nobody will end
			_ = session.Conn.Close()
		}
	}()
	for {
		kind, frame, err := read(client)
		if err != nil || kind == 'X' { // Terminate
			return
		}
		if session == nil {
			if session, err = p.take(); err != nil {
				return
			}
		}
		if _, err := session.Conn.Write(frame); err != nil {
			return
		}
		if kind != 'Q' && kind != 'S' { // Query, Sync: what ends in an answer
			continue
		}
		ready, err := answer(session.Conn, client)
		if err != nil {
			return
		}
		if ready[len(ready)-1] == 'I' { // in no transaction
			p.give(session)
			session = nil
		}
		if _, err := client.Write(ready); err != nil { // who is told so may ask by another connection at once
			return
		}
	}
}

// welcome lets a client in, and ignores all that it asks for while connecting.
func (p *Pooler) welcome(client net.Conn) error {
	backend := pgproto3.NewBackend(client, client)
	for {
		message, err := backend.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		if _, encrypt := message.(*pgproto3.SSLRequest); !encrypt {
			break
		}
		if _, err := client.Write([]byte("N")); err != nil {
			return err
		}
	}
	session, err := p.take()
	if err != nil {
		return err
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	for name, value := range session.ParameterStatuses {
		backend.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	p.give(session)
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	return backend.Flush()
}

func (p *Pooler) take() (*pgconn.HijackedConn, error) {
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		session := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		return session, nil
	}
	p.mu.Unlock()
	conn, err := pgconn.ConnectConfig(context.Background(), p.config)
	if err != nil {
		return nil, err
	}
	return conn.Hijack()
}

func (p *Pooler) give(session *pgconn.HijackedConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, session)
}

// answer passes on what the server says until it is ready for more, and returns that last message.
func answer(server, client net.Conn) (ready []byte, err error) {
	for {
		kind, frame, err := read(server)
		if err != nil || kind == 'Z' { // ReadyForQuery
			return frame, err
		}
		if _, err := client.Write(frame); err != nil {
			return nil, err
		}
	}
}

// read reads one message: its kind, and all of it.
func read(conn io.Reader) (kind byte, frame []byte, err error) {
	frame = make([]byte, 5)
	if _, err := io.ReadFull(conn, frame); err != nil {
		return 0, nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(frame[1:])-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		return 0, nil, err
	}
	return frame[0], append(frame, body...), nil
}
