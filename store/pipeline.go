package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Pipeline is statements that go to Postgres without waiting for an answer in between, in one write
// unless they are large. Postgres runs them as one transaction, and commits it when it reads their
// end. Unlike pgx's batch it can copy rows into a table, which costs less than inserting them
// (docs/performance.md).
type Pipeline struct {
	ctx      context.Context
	conn     *pgx.Conn
	buf      []byte
	err      error // the first; then the end is not sent
	sent     bool  // Postgres has a part of it, or all
	answered bool  // to the end

	commit *pgconn.StatementDescription // ends the transaction that was begun before; nil where the pipeline is one by itself
}

// errPartSent keeps a statement from being prepared in the middle of a pipeline: that would end the
// transaction there, and commit half of it.
var errPartSent = errors.New("a statement follows the one that is sent in parts")

// newPipeline begins a pipeline in a buffer that is used again. What was appended to it is in buf.
// A transaction that was begun on the connection is committed at its end.
func newPipeline(ctx context.Context, conn *pgx.Conn, buf []byte) *Pipeline {
	p := &Pipeline{ctx: ctx, conn: conn, buf: buf[:0]}
	if conn.PgConn().TxStatus() != 'I' { // not idle
		p.commit = p.prepare(`commit`)
	}
	return p
}

// Execute appends a statement. Its answer is of no interest, but that there is one.
func (p *Pipeline) Execute(sql string, args ...any) {
	statement := p.prepare(sql)
	if p.err != nil {
		return
	}
	var encoded pgx.ExtendedQueryBuilder
	if err := encoded.Build(p.conn.TypeMap(), statement, args); err != nil {
		p.err = fmt.Errorf("encode arguments: %w", err)
		return
	}
	p.append(&pgproto3.Bind{PreparedStatement: statement.Name, ParameterFormatCodes: encoded.ParamFormats, Parameters: encoded.ParamValues})
	p.append(&pgproto3.Execute{})
}

// Copy appends a COPY … FROM STDIN (FORMAT binary) and its rows.
func (p *Pipeline) Copy(sql string, columns int, write func(rows *CopyRows)) {
	p.copyRows(sql, columns, func([]byte) bool { return false }, write)
}

// maxUnsent is how much of the last statement gathers before it is sent. A transaction of the usual
// size has less.
const maxUnsent = 4 << 20

// copyLast is copy for the last statement of the pipeline. Of many rows it sends some whenever they
// have gathered, so that they are never all in memory, and Postgres works on the first while the
// next are written. Nothing may follow but the end.
func (p *Pipeline) copyLast(sql string, columns int, write func(rows *CopyRows)) {
	p.copyRows(sql, columns, p.sendPart, write)
}

func (p *Pipeline) sendPart(buf []byte) bool {
	if len(buf) < maxUnsent {
		return false
	}
	if p.err == nil {
		p.err = p.write(buf)
	}
	return true
}

func (p *Pipeline) copyRows(sql string, columns int, took func(buf []byte) bool, write func(rows *CopyRows)) {
	statement := p.prepare(sql)
	if p.err != nil {
		return
	}
	p.append(&pgproto3.Bind{PreparedStatement: statement.Name})
	p.append(&pgproto3.Execute{})
	rows := CopyRows{buf: p.buf, columns: columns, took: took}
	rows.begin()
	write(&rows)
	rows.end()
	p.buf = rows.buf
	p.append(&pgproto3.CopyDone{})
}

// prepare has Postgres parse a statement, the first time that the connection sends it.
func (p *Pipeline) prepare(sql string) *pgconn.StatementDescription {
	if p.err == nil && p.sent {
		p.err = errPartSent
	}
	if p.err != nil {
		return nil
	}
	statement, err := p.conn.Prepare(p.ctx, sql, sql)
	p.err = err
	return statement
}

func (p *Pipeline) append(message pgproto3.FrontendMessage) {
	if p.err == nil {
		p.buf, p.err = message.Encode(p.buf)
	}
}

// send sends the rest of the pipeline, and returns when Postgres has committed it. Only an error
// that is a *pgconn.PgError of the severity ERROR is Postgres' word that it has not.
func (p *Pipeline) send() error {
	if p.commit != nil {
		p.append(&pgproto3.Bind{PreparedStatement: p.commit.Name})
		p.append(&pgproto3.Execute{})
	}
	p.append(&pgproto3.Sync{})
	if p.err != nil {
		return p.err
	}
	refused, err := p.exchange()
	if err != nil {
		return err
	}
	p.answered = true
	return refused
}

// close closes the connection if what was sent is not answered: then nobody else may use it, also
// after a panic. Postgres rolls back what has no end.
func (p *Pipeline) close() {
	if p.sent && !p.answered {
		_ = p.conn.Close(p.ctx)
	}
}

// exchange gives Postgres' first error as refused. An error of its own means that it is not known
// what became of the transaction.
func (p *Pipeline) exchange() (refused, err error) {
	if err := p.write(p.buf); err != nil {
		return nil, err
	}
	for {
		message, err := p.conn.PgConn().ReceiveMessage(p.ctx)
		if err != nil {
			return nil, unanswered(err)
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			if refused == nil {
				refused = pgconn.ErrorResponseToPgError(m)
			}
		case *pgproto3.ReadyForQuery:
			return refused, nil
		}
	}
}

// unanswered is an error without what pgx says about it: that it is safe to try again is so only
// where nothing was sent.
func unanswered(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg
	}
	return errors.New(err.Error())
}

// write writes without reading. Postgres answers so little before the end that it does not wait for
// a reader meanwhile.
func (p *Pipeline) write(buf []byte) error {
	p.sent = true
	conn := p.conn.PgConn().Conn()
	stop := context.AfterFunc(p.ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
	_, err := conn.Write(buf)
	if !stop() && err == nil {
		err = context.Cause(p.ctx)
	}
	if err != nil {
		return unanswered(err)
	}
	return nil
}
