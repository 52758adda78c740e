package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// pipeline is statements that go to Postgres in one write, without waiting for an answer in between. Postgres runs them as one transaction, and
// commits it when it reads their end. Unlike pgx's batch it can copy rows into a table, which costs less than inserting them (deploy/SPEED.md).
type pipeline struct {
	ctx  context.Context
	conn *pgx.Conn
	buf  []byte
	err  error // the first; then nothing may be sent
}

// newPipeline begins a pipeline in a buffer that is used again. What was appended to it is in buf.
func newPipeline(ctx context.Context, conn *pgx.Conn, buf []byte) *pipeline {
	return &pipeline{ctx: ctx, conn: conn, buf: buf[:0]}
}

// execute appends a statement. Its answer is of no interest, but that there is one.
func (p *pipeline) execute(sql string, args ...any) {
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

// copy appends a COPY … FROM STDIN (FORMAT binary) and its rows.
func (p *pipeline) copy(sql string, columns int, write func(rows *copyRows)) {
	statement := p.prepare(sql)
	if p.err != nil {
		return
	}
	p.append(&pgproto3.Bind{PreparedStatement: statement.Name})
	p.append(&pgproto3.Execute{})
	length := len(p.buf) + 1
	rows := copyRows{buf: append(p.buf, 'd', 0, 0, 0, 0), columns: columns}
	rows.begin()
	write(&rows)
	rows.end()
	size := len(rows.buf) - length
	if size > math.MaxInt32 {
		p.err = fmt.Errorf("%d bytes of rows are more than a message of Postgres' protocol may have", size)
		return
	}
	p.buf = rows.buf
	putInt32(p.buf[length:], int32(size)) //nolint:gosec // checked before
	p.append(&pgproto3.CopyDone{})
}

// prepare has Postgres parse a statement, the first time that the connection sends it.
func (p *pipeline) prepare(sql string) *pgconn.StatementDescription {
	if p.err != nil {
		return nil
	}
	statement, err := p.conn.Prepare(p.ctx, sql, sql)
	p.err = err
	return statement
}

func (p *pipeline) append(message pgproto3.FrontendMessage) {
	if p.err == nil {
		p.buf, p.err = message.Encode(p.buf)
	}
}

// send sends the pipeline, and returns when Postgres has committed it. Only an error that is a *pgconn.PgError of the severity ERROR is Postgres'
// word that it has not. After any other error the connection is closed.
func (p *pipeline) send(ctx context.Context) error {
	p.append(&pgproto3.Sync{})
	if p.err != nil {
		return p.err
	}
	answered := false
	defer func() {
		if !answered { // then nobody else may use it, also after a panic
			_ = p.conn.Close(ctx)
		}
	}()
	refused, err := p.exchange(ctx)
	if err != nil {
		return err
	}
	answered = !unprepared(refused)
	return refused
}

// unprepared tells whether the connection has lost its prepared statements, or they fit the schema no longer: another one prepares them again.
func unprepared(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == codeNoStatement || pg.Code == codeOldPlan)
}

// exchange gives Postgres' first error as refused. An error of its own means that it is not known what became of the transaction.
func (p *pipeline) exchange(ctx context.Context) (refused, err error) {
	if err := p.write(ctx); err != nil {
		return nil, err
	}
	for {
		message, err := p.conn.PgConn().ReceiveMessage(ctx)
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

// unanswered is an error without what pgx says about it: that it is safe to try again is so only where nothing was sent.
func unanswered(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg
	}
	return errors.New(err.Error())
}

// write writes all of it at once. Postgres answers so little before the end that it does not wait for a reader meanwhile.
func (p *pipeline) write(ctx context.Context) error {
	conn := p.conn.PgConn().Conn()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
	_, err := conn.Write(p.buf)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return unanswered(err)
	}
	return nil
}
