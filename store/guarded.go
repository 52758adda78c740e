package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/worker"
)

// blockedError is the error of a call that a session outside of the service has blocked.
type blockedError struct {
	*foreignLock
	error
}

// guarded calls do with a connection that a guard watches.
func (s *Store) guarded(ctx context.Context, do func(conn *pgxpool.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	guard := s.guard(ctx, conn.Conn())
	err = do(conn)
	if h := guard.stop(); h != nil && canceled(err) {
		return &blockedError{h, err}
	}
	return err
}

// guardedAt is a guarded call about a position that is at an offset. What a session outside of the
// service has locked gives a *worker.LockedError.
func (s *Store) guardedAt(ctx context.Context, doing string, from int64, do func(ctx context.Context, conn *pgxpool.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.guarded(ctx, func(conn *pgxpool.Conn) error { return do(ctx, conn) })
	var blocked *blockedError
	if errors.As(err, &blocked) {
		return &worker.LockedError{What: blocked.foreignLock.what, Holder: blocked.foreignLock.holder, From: map[int]int64{0: from}}
	}
	return readError(doing, err)
}

// aroundLocked calls do with n positions, and leaves out the positions that a session outside of
// the service has locked. Those are in the error, a *worker.LockedError, by their index. A call
// that waited for one position would keep the others waiting.
func (s *Store) aroundLocked(
	ctx context.Context, doing string, n int, is func(i int, h *foreignLock) bool, do func(ctx context.Context, conn *pgxpool.Conn, free []int) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var locked *worker.LockedError
	for {
		free := make([]int, 0, n)
		locks := s.stillLocked(ctx, s.pool)
		locked = nil
		for i := range n {
			if h := anyLock(locks, i, is); h == nil {
				free = append(free, i)
			} else {
				locked = lockedAt(locked, i, h)
			}
		}
		if len(free) > 0 {
			err := s.guarded(ctx, func(conn *pgxpool.Conn) error { return do(ctx, conn, free) })
			var blocked *blockedError
			if errors.As(err, &blocked) {
				if blocked.source == 0 {
					return readError(doing, both(worker.ErrOutage, fmt.Errorf("%s is locked by %s: %w", blocked.foreignLock.what, blocked.foreignLock.holder, err)))
				}
				continue // it is among the locks by now
			}
			if err != nil {
				return readError(doing, err)
			}
		}
		if locked != nil {
			return locked
		}
		return nil
	}
}

func anyLock(locks []foreignLock, i int, is func(i int, h *foreignLock) bool) *foreignLock {
	for n := range locks {
		if locks[n].source != 0 && is(i, &locks[n]) {
			return &locks[n]
		}
	}
	return nil
}

func lockedAt(e *worker.LockedError, i int, h *foreignLock) *worker.LockedError {
	if e == nil {
		e = &worker.LockedError{What: h.what, Holder: h.holder, From: map[int]int64{}}
	}
	e.From[i] = 0
	return e
}
