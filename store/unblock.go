package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// A process that was frozen in the middle of its pipeline holds its locks for as long as its connection lives, and no timeout of Postgres
// ends that. So who waits longer than this ends the sessions that it waits for, if they are of its own role and have waited for their client as long.
const (
	blockedAfter = 2 * time.Second
	blockedAgain = time.Second
)

const unblockSQL = `
select pg_terminate_backend(b.pid) from pg_stat_activity b
where b.pid = any(pg_blocking_pids($1)) and b.usename = session_user and b.wait_event = 'ClientRead'
    and b.state_change < clock_timestamp() - $2::interval`

// unblock watches over a call on a connection until the function that it returns is called.
func (s *Store) unblock(ctx context.Context, conn *pgx.Conn) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	pid := backendOf(conn)
	timer := time.AfterFunc(blockedAfter, func() {
		defer close(done)
		s.unblockUntil(ctx, pid)
	})
	return func() {
		cancel()
		if !timer.Stop() {
			<-done
		}
	}
}

func (s *Store) unblockUntil(ctx context.Context, pid uint32) {
	tick := time.NewTicker(blockedAgain)
	defer tick.Stop()
	for {
		_, _ = s.pool.Exec(ctx, unblockSQL, int32(pid), blockedAfter) //nolint:gosec // Postgres' pids fit; an error here shows in the call that is watched
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
