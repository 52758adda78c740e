package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// A process that was frozen in the middle of its pipeline keeps its locks as long as its connection
// lives, and no timeout of Postgres ends that. So a call that is blocked for longer than this
// terminates the sessions that block it, if they have its role and have waited for their client as
// long. A call that is blocked for so long by a session outside of the service gives up: see
// outsiders.
const (
	blockedAfter = 2 * time.Second
	blockedAgain = time.Second

	// While somebody outside is known to hold locks, the next wait for one is not worth as much.
	blockedSooner = 300 * time.Millisecond
)

const unblockSQL = `
select pg_terminate_backend(b.pid) from pg_stat_activity b
where b.pid = any(pg_blocking_pids($1)) and b.usename = session_user and b.wait_event = 'ClientRead'
    and b.state_change < clock_timestamp() - $2::interval`

// guard watches over a call on a connection.
type guard struct {
	store    *Store
	pid      int32
	patience time.Duration
	timer    *time.Timer
	cancel   context.CancelFunc
	done     chan struct{}
	found    *foreignLock // what ended the call; read after done
}

// guard watches over a call on a connection until its stop is called.
func (s *Store) guard(ctx context.Context, conn *pgx.Conn) *guard {
	ctx, cancel := context.WithCancel(ctx)
	g := &guard{
		store: s, pid: int32(backendOf(conn)), //nolint:gosec // Postgres' pids fit
		patience: blockedAfter, cancel: cancel, done: make(chan struct{}),
	}
	if s.outsiders.any() {
		g.patience = blockedSooner
	}
	g.timer = time.AfterFunc(g.patience, func() {
		defer close(g.done)
		g.run(ctx)
	})
	return g
}

// stop ends the watch, and gives what somebody outside had locked where that ended the call; nil:
// nothing did. Nobody cancels anything on the connection after it.
func (g *guard) stop() *foreignLock {
	g.cancel()
	if !g.timer.Stop() {
		<-g.done
	}
	return g.found
}

func (g *guard) run(ctx context.Context) {
	s, pid := g.store, g.pid
	tick := time.NewTicker(blockedAgain)
	defer tick.Stop()
	for {
		_, _ = s.pool.Exec(ctx, unblockSQL, pid, blockedAfter) // an error here shows in the call that is watched
		if h := s.waitsOutside(ctx, pid, g.patience); h != nil && s.giveUp(ctx, pid) {
			g.found = h
			s.outsiders.add(*h)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
