package store

import (
	"context"
	"strconv"
	"time"

	"allocation/worker"
)

// save writes a decided transaction in one pipeline, which Postgres runs as one transaction: the
// commit is at its end, so no lock waits for an answer to cross the network. Every statement raises
// where it does not find what the decisions relied on.
func (s *Store) save(ctx context.Context, tx *Tx, t *txRows) error {
	patience := t.patience()
	ctx, cancel := context.WithTimeout(ctx, callTimeout+patience)
	defer cancel()
	p := newPipeline(ctx, tx.conn, tx.cache.buf)
	defer p.close()
	if patience > 0 {
		p.Execute(setTimeoutSQL, milliseconds(statementTimeout+patience))
	}
	queueMove(p, tx.transaction, t)
	queueCached(p, tx, tx.cache.aggregate.Write(p, tx))
	queueDeadLetters(p, tx.transaction, t)
	queueParked(p, t)
	queueRequests(p, tx, t)
	queueOutbox(p, tx.transaction, t)
	if p.err != nil {
		return readError("save", p.err) // the end was not sent, so nothing is committed
	}
	tx.cache.keep(p.buf)
	return s.noteDay(writeError("save", p.send()), t.today)
}

const (
	defaultRows = 20_000           // more than a write of usual commands has
	rowTime     = time.Millisecond // ample for one row of very many
)

// patience is how much longer than usual the write may take: one command that moves a million lines
// takes longer than any other, and nothing makes it smaller.
func (t *txRows) patience() time.Duration {
	rows := 0
	for _, of := range t.rows {
		rows += len(of)
	}
	if rows <= defaultRows {
		return 0
	}
	return time.Duration(rows) * rowTime
}

func queueMove(p *Pipeline, transaction worker.Transaction, t *txRows) {
	n := len(transaction.Moves)
	sources, tokens := make([]int32, n), make([]worker.Token, n)
	epochs := make([]int32, n)
	from, to, fromRows, toRows, published := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, move := range transaction.Moves {
		sources[i], tokens[i] = move.Source.ID, move.Token
		from[i], to[i] = move.From, move.To
		fromRows[i], toRows[i] = move.NextRow, t.next(transaction.Moves, i)
		published[i], epochs[i] = move.Published, move.LeaderEpoch
	}
	p.Execute(`select move_positions($1, $2, $3, $4, $5, $6, $7, $8)`, sources, tokens, from, to, fromRows, toRows, published, epochs)
}

// queueCached checks what the cache told, once the aggregate's rows are locked: of its keys that
// are not known to be held, none may be.
func queueCached(p *Pipeline, tx *Tx, keys []string) {
	free := make([]string, 0, len(keys))
	for _, key := range keys {
		if !tx.cache.held.has(key) {
			free = append(free, key)
		}
	}
	server := &tx.cache.server
	p.Execute(`select expect_remembered($1, $2, $3, $4, $5)`, server.started, free, server.file, server.written, tx.store.service.Table)
}

// setTimeoutSQL bounds each following statement of the transaction.
const setTimeoutSQL = `select set_config('statement_timeout', $1, true)`

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
