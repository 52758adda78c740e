package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

func (h *hit) stopPostgres(ctx context.Context) error { return h.restart(ctx, syscall.SIGQUIT) }
func (h *hit) killPostgres(ctx context.Context) error { return h.restart(ctx, syscall.SIGKILL) }

// restart ends the primary, and starts it again, with all its commits.
func (h *hit) restart(ctx context.Context, signal syscall.Signal) error {
	if err := h.pair.Stop(context.WithoutCancel(ctx), signal); err != nil {
		return err
	}
	h.rest(ctx, 0, 6*time.Second)
	return h.pair.Start(context.WithoutCancel(ctx))
}

// streamTime is how long a standby may take until it has caught up.
const streamTime = 3 * time.Minute

// promote fails over to a standby that lags: the last commits are lost. Workers are not told.
func (h *hit) promote(ctx context.Context) error {
	steady, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*streamTime)
	defer cancel()
	if err := h.pair.AwaitStream(steady); err != nil {
		return err
	}
	h.pair.Lag()
	before := h.awaitCommits(ctx)
	if err := h.pair.FailOver(steady); err != nil {
		return err
	}
	if err := h.noteLost(steady, "failed over", before); err != nil {
		return err
	}
	if err := h.pair.Follow(steady); err != nil {
		return err
	}
	return h.pair.AwaitStream(steady)
}

// noteLost notes how many commands the database had applied before, and has not now.
func (h *hit) noteLost(ctx context.Context, what string, before map[topicPartition]position) error {
	after, err := h.monitor.positions(ctx)
	if err != nil {
		return err
	}
	lost := int64(0)
	for l, p := range before {
		lost += max(0, p.nextOffset-after[l].nextOffset)
	}
	h.journal.failover(lost)
	h.say("%s, without the last %d commands or more", what, lost)
	return nil
}

// restoreInPlace puts a copy of the database into its place, while the server runs on: what was
// committed since the copy was made is lost. Workers are not told.
func (h *hit) restoreInPlace(ctx context.Context) error {
	const copied = "copied"
	steady := context.WithoutCancel(ctx)
	if err := h.alone(steady, "create database "+copied+" template "+database); err != nil {
		return err
	}
	before := h.awaitCommits(ctx)
	if err := h.alone(steady, "alter database "+database+" rename to replaced; alter database "+copied+" rename to "+database); err != nil {
		return err
	}
	if err := h.noteLost(steady, "restored in place", before); err != nil {
		return err
	}
	return h.execute(steady, "postgres", "drop database replaced with (force)")
}

// alone does something with the database while nobody can connect to it.
func (h *hit) alone(ctx context.Context, statements string) error {
	const busy = 10 * time.Second
	if err := h.execute(ctx, "postgres", "alter database "+database+" allow_connections false"); err != nil {
		return err
	}
	var err error
	for began := time.Now(); time.Since(began) < busy; rest(ctx, 50*time.Millisecond) {
		_ = h.execute(ctx, "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where datname = '"+database+"'")
		if err = h.execute(ctx, "postgres", statements); err == nil {
			break
		}
	}
	return errors.Join(err, h.execute(ctx, "postgres", "alter database "+database+" allow_connections true"))
}

// awaitCommits returns when something was committed, and a while later, or when nothing is for some
// seconds; with the last known positions.
func (h *hit) awaitCommits(ctx context.Context) (last map[topicPartition]position) {
	const patience, look = 8 * time.Second, 200 * time.Millisecond
	first, _ := h.monitor.positions(ctx)
	same := func(before, now position) bool { return before.nextOffset == now.nextOffset }
	for began := time.Now(); time.Since(began) < patience && rest(ctx, look); {
		if now, err := h.monitor.positions(ctx); err == nil && !maps.EqualFunc(first, now, same) {
			break
		}
	}
	h.rest(ctx, 0, 1500*time.Millisecond)
	last, _ = h.monitor.positions(context.WithoutCancel(ctx))
	return last
}

// fillDisk leaves Postgres no room, and later gives it back. The server may end of it.
func (h *hit) fillDisk(ctx context.Context) error {
	if h.disk == nil {
		return errSkipped
	}
	steady := context.WithoutCancel(ctx)
	if err := h.disk.fill(); err != nil {
		return errors.Join(err, h.disk.free())
	}
	h.rest(ctx, time.Second, 8*time.Second)
	if err := h.disk.free(); err != nil {
		return err
	}
	if !h.pair.Running() {
		h.say("Postgres ended of its full disk")
		if err := h.pair.Start(steady); err != nil {
			return err
		}
	}
	return h.awaitStandby(steady)
}

// awaitStandby makes a new standby where the old one does not come back.
func (h *hit) awaitStandby(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, streamTime/3)
	defer cancel()
	if h.pair.AwaitStream(patience) == nil {
		return nil
	}
	h.say("the standby is made anew")
	ctx, cancel = context.WithTimeout(ctx, streamTime)
	defer cancel()
	return errors.Join(h.pair.Follow(ctx), h.pair.AwaitStream(ctx))
}

// terminate ends all sessions of workers, some times.
func (h *hit) terminate(ctx context.Context) error {
	struck := false
	for range 1 + h.random.IntN(5) {
		err := h.execute(ctx, database, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'worker'")
		struck = struck || err == nil
		h.rest(ctx, 50*time.Millisecond, 1500*time.Millisecond)
	}
	if !struck {
		return errSkipped
	}
	return nil
}

// lockProducts holds locks on products that commands are about, as another user, whose sessions a
// worker cannot end.
func (h *hit) lockProducts(ctx context.Context) error {
	return h.within(ctx, h.between(time.Second, 8*time.Second), func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "select from products where sku = any($1) order by sku for update", h.load.skus(3))
		return err
	})
}

// longTransaction keeps a snapshot and a transaction open elsewhere.
func (h *hit) longTransaction(ctx context.Context) error {
	return h.within(ctx, h.between(5*time.Second, 25*time.Second), func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "insert into elsewhere select count(*) from products")
		return err
	})
}

// within does something in a transaction, which it keeps open for a while.
func (h *hit) within(ctx context.Context, length time.Duration, do func(pgx.Tx) error) error {
	err := h.connected(ctx, database, func(conn *pgx.Conn) error {
		tx, err := conn.Begin(ctx)
		if err == nil {
			err = do(tx)
		}
		if err == nil {
			rest(ctx, length)
		}
		return err // the connection ends, and with it the transaction
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errSkipped, err)
	}
	return nil
}
