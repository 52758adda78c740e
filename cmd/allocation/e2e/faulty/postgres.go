package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func (f *fault) dialPostgres(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &faultyConn{Conn: conn, fault: f, statements: map[string]string{}}, nil
	}
}

// faultyConn is a connection to Postgres, without TLS, that understands enough of the protocol to
// strike at its messages' boundaries. Reads may come from another goroutine than writes.
type faultyConn struct {
	net.Conn
	fault   *fault
	pending []byte // read ahead, of nobody's yet

	started    bool              // the startup message, which has no type, was sent
	statements map[string]string // SQL by the name of a prepared statement

	mu       sync.Mutex
	awaiting point // reached when what was sent is answered without an error; empty: none
	answer   []byte
}

// Functions of the migrations, in statements where the points are.
const (
	fenceFunction = "move_positions"
	claimFunction = "claim_positions"
)

// Write passes messages on, and strikes before or in the middle of the pipeline that writes a
// batch.
func (c *faultyConn) Write(b []byte) (int, error) {
	if !c.started {
		c.started = true
		return c.Conn.Write(b)
	}
	sql, fenced := c.look(b)
	switch {
	case strings.Contains(sql, claimFunction):
		c.await(atClaim)
	case fenced > 0:
		c.fault.reach(atWrite)
		c.await(atCommit)
		if c.fault.take(atPipeline) {
			return c.writeHalves(b, fenced)
		}
	}
	return c.Conn.Write(b)
}

// flushMessage makes the server send what it has without ending the transaction.
var flushMessage = []byte{'H', 0, 0, 0, 4}

// writeHalves strikes when the server has executed the fence, which holds the positions' locks, and
// has not got the rest.
func (c *faultyConn) writeHalves(b []byte, fenced int) (int, error) {
	if n, err := c.Conn.Write(append(bytes.Clone(b[:fenced]), flushMessage...)); err != nil {
		return min(n, fenced), err
	}
	if err := c.readAhead(); err != nil {
		panic("the server does not answer the first half of a pipeline: " + err.Error())
	}
	c.fault.strike()
	n, err := c.Conn.Write(b[fenced:])
	return fenced + n, err
}

// readAhead waits for an answer. Nobody else reads while a pipeline is written.
func (c *faultyConn) readAhead() error {
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	answer := make([]byte, 1<<10)
	n, err := c.Conn.Read(answer)
	c.pending = append(c.pending, answer[:n]...)
	return errors.Join(err, c.SetReadDeadline(time.Time{}))
}

// look finds the SQL of the first bound statement, and for the pipeline that writes a batch where
// its fence ends; 0 for anything else.
func (c *faultyConn) look(b []byte) (sql string, fenced int) {
	bound := ""
	for at := 0; at+5 <= len(b); {
		end := at + 1 + int(binary.BigEndian.Uint32(b[at+1:]))
		if end > len(b) {
			return sql, fenced
		}
		body := b[at+5 : end]
		switch b[at] {
		case 'P':
			name, rest := cString(body)
			c.statements[name], _ = cString(rest)
		case 'B':
			_, rest := cString(body)
			name, _ := cString(rest)
			bound = c.statements[name]
			if sql == "" {
				sql = bound
			}
		case 'E':
			if fenced == 0 && strings.Contains(bound, fenceFunction) {
				fenced = end
			}
		}
		at = end
	}
	return sql, fenced
}

func cString(b []byte) (text string, rest []byte) {
	before, after, _ := bytes.Cut(b, []byte{0})
	return string(before), after
}

// await strikes when the next answer is complete.
func (c *faultyConn) await(p point) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaiting, c.answer = p, nil
}

// Read strikes when an answer that a point waits for has come, before anybody sees it.
func (c *faultyConn) Read(b []byte) (n int, err error) {
	if len(c.pending) > 0 {
		n = copy(b, c.pending)
		c.pending = c.pending[n:]
	} else {
		n, err = c.Conn.Read(b)
	}
	if p := c.answered(b[:n]); p != "" {
		c.fault.reach(p)
	}
	return n, err
}

// answered gives the point that waits, when what was sent is answered in full and without an error.
func (c *faultyConn) answered(b []byte) point {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.awaiting == "" {
		return ""
	}
	c.answer = append(c.answer, b...)
	for len(c.answer) >= 5 {
		size := 1 + int(binary.BigEndian.Uint32(c.answer[1:]))
		if size > len(c.answer) {
			return ""
		}
		switch c.answer[0] {
		case 'E':
			c.awaiting = ""
			return ""
		case 'Z':
			p := c.awaiting
			c.awaiting = ""
			return p
		}
		c.answer = c.answer[size:]
	}
	return ""
}
