package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// measureThroughput gives a contestant a backlog. Its speed is taken from the times at which the
// broker had its first and its last event, so that neither its start nor its end counts, and nobody
// reads its events meanwhile.
func measureThroughput(ctx context.Context, a *arena, c *contestant, t trial) (measures, error) {
	n := c.backlog
	if limit := a.lab.options.commands; limit > 0 {
		n = min(n, limit)
	}
	w := newWorkload(n, t.hot)
	if err := a.send(ctx, n, w.record, nil); err != nil {
		return nil, fmt.Errorf("preload: %w", err)
	}
	debug.FreeOSMemory() // what the backlog took here is better used by the servers
	// Pages are written to the log in full once after each checkpoint: with one here, it is as
	// often for each contestant.
	if _, err := a.conn.Exec(ctx, `checkpoint`); err != nil {
		return nil, err
	}
	before, err := a.space(ctx)
	if err != nil {
		return nil, err
	}
	d, err := a.drain(ctx, c, n)
	if err != nil {
		return nil, err
	}
	watch, err := a.watch(ctx, w)
	if err != nil {
		return nil, err
	}
	defer watch.stop()
	if err := watch.finish(ctx, a); err != nil {
		return nil, err
	}
	if err := a.checkComplete(ctx, c, watch, n); err != nil {
		return nil, err
	}
	took := watch.last.Sub(watch.first)
	return measures{
		throughput: float64(n-1) / took.Seconds(), commandCount: float64(n),
		walBytes: float64(d.space.wal-before.wal) / float64(n), tableBytes: float64(d.space.tables-before.tables) / float64(n),
		cpuSeconds: d.cpu.Seconds(), cpuMicros: float64(d.cpu.Microseconds()) / float64(n), peakMemory: d.peak / 1e6,
	}, nil
}

// drained is what a program used while it worked on a backlog.
type drained struct {
	space space
	cpu   time.Duration
	peak  float64 // bytes
}

// drain runs the contestant until it has published an event for each command.
func (a *arena) drain(ctx context.Context, c *contestant, n int) (d drained, err error) {
	there, err := a.eventCount(ctx)
	if err != nil {
		return d, err
	}
	p, err := c.program.start(ctx, a)
	if err != nil {
		return d, err
	}
	defer p.kill()
	if err := a.awaitEvents(ctx, p, there+int64(n), limit(n)); err != nil {
		return d, err
	}
	if d.space, err = a.space(ctx); err != nil {
		return d, err
	}
	if d.peak, err = p.peakMemory(); err != nil {
		return d, err
	}
	err = p.stop()
	d.cpu = p.cpu()
	return d, err
}

// space is how much was written to the server's log, and how much the tables of the database take.
type space struct{ wal, tables int64 }

func (a *arena) space(ctx context.Context) (s space, err error) {
	if s.tables, err = a.number(ctx, `select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class
		where relkind in ('r', 'm') and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
		and relnamespace::regnamespace::text not like 'pg_toast%'`); err != nil {
		return s, err
	}
	s.wal, err = a.number(ctx, `select (pg_current_wal_lsn() - '0/0')::bigint`)
	return s, err
}
