package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// measureThroughput gives a contestant a backlog. Its speed is taken from the times at which the
// broker had its first and its last event, so that neither its start nor its end counts, and nobody
// reads its events meanwhile.
func measureThroughput(ctx context.Context, a *arena, c *contestant, t trial) (measures, error) {
	n := c.backlog
	if limit := a.options.commands; limit > 0 {
		n = min(n, limit)
	}
	w := newWorkload(n, t.hot)
	if err := a.send(ctx, n, w.record, nil); err != nil {
		return nil, fmt.Errorf("preload: %w", err)
	}
	debug.FreeOSMemory() // what the backlog took here is better used by the servers
	// Pages are written to the log in full once after each checkpoint: with one here, it is as
	// often for each contestant.
	if _, err := a.db.Exec(ctx, `checkpoint`); err != nil {
		return nil, err
	}
	m, err := a.drain(ctx, c, n)
	if err != nil {
		return nil, err
	}
	watch, err := a.watch(ctx, w)
	if err != nil {
		return nil, err
	}
	err = watch.await(ctx, nil, n, limit(n))
	watch.stop()
	if err := errors.Join(watch.err, err); err != nil {
		return nil, err
	}
	m[throughput] = float64(n-1) / watch.last.Sub(watch.first).Seconds()
	return m, a.checkComplete(ctx, c, n)
}

// drain runs the contestant until it has published an event for each command, and measures what it
// used.
func (a *arena) drain(ctx context.Context, c *contestant, n int) (measures, error) {
	before, err := a.space(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.program.start(a)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	if err := a.awaitEvents(ctx, p, n, limit(n)); err != nil {
		return nil, err
	}
	after, err := a.space(ctx)
	if err != nil {
		return nil, err
	}
	peak := p.peakMemory()
	if err := p.stop(); err != nil {
		return nil, err
	}
	each := func(total float64) float64 { return total / float64(n) }
	return measures{
		walBytes: each(float64(after.wal - before.wal)), tableBytes: each(float64(after.tables - before.tables)),
		cpuMicros: each(float64(p.cpu().Microseconds())), peakMemory: peak / 1e6,
	}, nil
}

// space is how much was written to the server's log, and how much the tables of the database take.
type space struct{ wal, tables int64 }

func (a *arena) space(ctx context.Context) (s space, err error) {
	err = a.db.QueryRow(ctx, `select (pg_current_wal_lsn() - '0/0')::bigint, (select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class
		where relkind in ('r', 'm') and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
		and relnamespace::regnamespace::text not like 'pg_toast%')`).Scan(&s.wal, &s.tables)
	return s, err
}

// limit is how long a run of so many commands may take: it ends what hangs, and nothing that is
// merely slow.
func limit(commands int) time.Duration {
	return 2*time.Minute + time.Duration(commands)*time.Second/100
}
