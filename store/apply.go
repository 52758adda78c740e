package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/worker"
)

// Apply decides the commands of a transaction and commits what they do: positions, the aggregate,
// outbox rows and dead letters, together or not at all. Where its first commands have very many
// events already, it commits what these do and leaves the rest for the next transaction. An error
// is a *worker.FencedError, or one of worker's kinds, or the fault of something in the transaction;
// only after worker.ErrUnknownOutcome may it have been committed.
func (s *Store) Apply(ctx context.Context, transaction worker.Transaction) (worker.Applied, error) {
	conn, err := s.acquire(ctx)
	if err != nil {
		return worker.Applied{}, readError("apply", err)
	}
	defer conn.Release()

	cache := s.caches.take(transaction.Applier, s.newCache) // given back only where it did not panic
	tx := newTx(s, conn.Conn(), transaction, cache)
	err = tx.readRepeats(ctx)
	if err == nil {
		cache.aggregate.Begin(tx)
		err = tx.avoid(ctx)
	}
	if err != nil {
		s.caches.give(transaction.Applier, cache) // nothing was done with it
		return worker.Applied{}, err
	}
	rows, err := s.transact(ctx, tx)
	cache.done(transaction.Free, err)
	s.caches.give(transaction.Applier, cache)
	if err != nil {
		return worker.Applied{}, err
	}
	return worker.Applied{Rows: rows.rows, Outcomes: rows.outcomes}, nil
}

func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.pool.Acquire(ctx)
}

// transact gives up where somebody outside of the service has locked for long what the transaction
// needs.
func (s *Store) transact(ctx context.Context, tx *Tx) (_ *txRows, err error) {
	guard := s.guard(ctx, tx.conn)
	defer func() {
		if hold := guard.stop(); hold != nil && canceled(err) {
			err = tx.locked(hold)
		}
	}()
	if tx.transaction.LockFirst {
		if err := tx.lockPositions(ctx); err != nil {
			return nil, err
		}
	}
	if err := tx.cache.aggregate.Decide(ctx, tx); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil, readError("decide", err)
		}
		return nil, err
	}
	if err := tx.identify(ctx); err != nil {
		return nil, err
	}
	if err := tx.avoid(ctx); err != nil { // of some commands, only what was loaded tells the key
		return nil, err
	}
	t := newTxRows(tx)
	return t, s.save(ctx, tx, t)
}

const lockPositionsSQL = `select from positions where source = any($1::int[]) order by source for no key update`

// lockPositions begins the transaction and locks its positions before anything is read, so that no
// other transaction can be first. The aggregate locks its rows next. Others that want the same rows
// wait while this one loads, decides and writes. If this process stands still meanwhile, they end
// its session.
func (tx *Tx) lockPositions(ctx context.Context) error {
	sources := make([]int32, len(tx.transaction.Moves))
	for i, move := range tx.transaction.Moves {
		sources[i] = move.Source.ID
	}
	if err := tx.Lock(ctx, `begin isolation level read committed`); err != nil {
		return err
	}
	return tx.Lock(ctx, lockPositionsSQL, sources)
}
