package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/worker"
)

// heldError says that a call gave up because of somebody outside of the service.
type heldError struct {
	*foreignLock
	error
}

// guarded does something on a connection that a guard watches over.
func (s *Store) guarded(ctx context.Context, do func(conn *pgxpool.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	guard := s.guard(ctx, conn.Conn())
	err = do(conn)
	if h := guard.stop(); h != nil && canceled(err) {
		return &heldError{h, err}
	}
	return err
}

// lockedOf is the error of a call for one position that gave up; any other error is as it was.
func lockedOf(err error, move worker.PositionMove) error {
	var held *heldError
	if !errors.As(err, &held) {
		return err
	}
	return &worker.LockedError{What: held.foreignLock.what, Holder: held.foreignLock.holder, From: map[int]int64{0: move.From}}
}

// aroundLocked does something with n positions, but those that somebody outside has locked: these
// are in the error, a *worker.LockedError, by their index. A call that waited for one of several
// would keep the others waiting.
func (s *Store) aroundLocked(ctx context.Context, n int, is func(i int, h *foreignLock) bool, do func(conn *pgxpool.Conn, free []int) error) error {
	var locked *worker.LockedError
	for {
		free := make([]int, 0, n)
		holds := s.stillHeld(ctx, s.pool)
		locked = nil
		for i := range n {
			if h := anyHold(holds, i, is); h == nil {
				free = append(free, i)
			} else {
				locked = lockedAt(locked, i, h)
			}
		}
		if len(free) > 0 {
			err := s.guarded(ctx, func(conn *pgxpool.Conn) error { return do(conn, free) })
			var held *heldError
			if errors.As(err, &held) {
				if held.source == 0 {
					return both(worker.ErrOutage, fmt.Errorf("%s is locked by %s: %w", held.foreignLock.what, held.foreignLock.holder, err))
				}
				continue // it is among the holds by now
			}
			if err != nil {
				return err
			}
		}
		if locked != nil {
			return locked
		}
		return nil
	}
}

// unlessLocked is readError, but for what a call did around locked positions.
func unlessLocked(doing string, err error) error {
	var locked *worker.LockedError
	if errors.As(err, &locked) {
		return locked
	}
	return readError(doing, err)
}

func anyHold(holds []foreignLock, i int, is func(i int, h *foreignLock) bool) *foreignLock {
	for n := range holds {
		if holds[n].source != 0 && is(i, &holds[n]) {
			return &holds[n]
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
