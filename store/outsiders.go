package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// foreignLock is a lock of somebody outside of the service that a call waited for. It ends with the
// transaction that has it.
type foreignLock struct {
	key    string // whose row it is on; empty: not on one of the aggregate's
	source int32  // whose position it is on; 0: not on a position
	of     worker.TopicPartition
	what   string // for people
	holder string // for people

	xid      string // what has a row locked; empty where a table is
	pid      int32
	relation uint32
	mode     string
}

// outsiders are the known locks of sessions that are not the service's. Calls leave out what these
// have locked, instead of waiting for it.
type outsiders struct {
	n atomic.Int32

	mu    sync.Mutex
	locks []foreignLock
	asked time.Time
}

// askAgain is the time between two questions which locks still stand.
const askAgain = 200 * time.Millisecond

// any reports whether there is one. It costs nothing where there is none.
func (o *outsiders) any() bool { return o.n.Load() > 0 }

func (o *outsiders) add(h foreignLock) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.locks = append(o.locks, h)
	o.n.Store(int32(len(o.locks))) //nolint:gosec // one for each partition that waits
}

// known returns the locks, and reports whether it is time to ask which of them still stand.
func (o *outsiders) known() (locks []foreignLock, ask bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if ask = now.Sub(o.asked) >= askAgain; ask {
		o.asked = now
	}
	return append([]foreignLock{}, o.locks...), ask
}

// keep forgets locks that were asked about and do not stand any more.
func (o *outsiders) keep(standing, asked []foreignLock) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var kept []foreignLock
	for _, h := range o.locks {
		if (slices.Contains(standing, h) || !slices.Contains(asked, h)) && !slices.Contains(kept, h) {
			kept = append(kept, h)
		}
	}
	o.locks = kept
	o.n.Store(int32(len(kept))) //nolint:gosec // as above
}

// A call waits for a transaction that has locked a row, or for a table. Postgres also locks the row
// itself for the first session that waits for it, and later sessions wait for that lock. A session
// belongs to the service if it has the same role, and either the same application_name or a client
// that it waits for. A session of the service that blocks a call is ended, see unblock.
const outsideSQL = `
with mine as materialized (select * from pg_locks where pid = $1),
    waits as (select locktype, transactionid, relation from mine where not granted and waitstart < clock_timestamp() - $2::interval limit 1),
    place as (select relation, page, tuple from mine where locktype = 'tuple' limit 1)
select coalesce(w.transactionid::text, ''), coalesce(w.relation::oid, 0), coalesce(coalesce(p.relation, w.relation)::regclass::text, ''),
    coalesce('(' || p.page || ',' || p.tuple || ')', ''), b.pid,
    coalesce((select l.mode from pg_locks l where coalesce(l.pid, 0) = b.pid and l.relation = w.relation order by l.granted desc, l.mode limit 1), ''),
    coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(a.backend_type, ''), a.xact_start
from waits w left join place p on true cross join unnest(pg_blocking_pids($1)) b (pid) left join pg_stat_activity a on a.pid = b.pid
where w.locktype in ('transactionid', 'tuple', 'relation')
    and (a.usename is distinct from session_user or a.application_name is distinct from current_setting('application_name'))
    and not coalesce(a.usename = session_user and a.wait_event = 'ClientRead', false)
order by a.xact_start limit 1`

// waitsOutside tells for what lock of somebody outside a session has waited almost as long as it
// may; nil: for none.
func (s *Store) waitsOutside(ctx context.Context, pid int32, patience time.Duration) *foreignLock {
	var h foreignLock
	var table, place, user, application, backend string
	var since *time.Time
	err := s.pool.QueryRow(ctx, outsideSQL, pid, patience*3/4).Scan(&h.xid, &h.relation, &table, &place, &h.pid, &h.mode, &user, &application, &backend, &since)
	if err != nil {
		return nil // also where there is none
	}
	h.holder = holderText(h.pid, user, application, backend, since)
	h.what = "a row of a transaction that is not over"
	if table != "" {
		h.what = "table " + table
	}
	if place != "" {
		s.nameRow(ctx, &h, table, place)
	}
	return &h
}

// holderText names who has locked something, as far as this role may see it.
func holderText(pid int32, user, application, backend string, since *time.Time) string {
	if pid == 0 {
		return "a prepared transaction: see pg_prepared_xacts"
	}
	text := fmt.Sprintf("process %d, user %q, application %q", pid, user, application)
	if backend != "" && backend != "client backend" {
		text += ", " + backend
	}
	if since == nil {
		return text + ", since when this role may not see: it takes pg_read_all_stats"
	}
	return text + ", in a transaction since " + since.UTC().Format(time.RFC3339)
}

const positionRowSQL = `select 'the position of ' || topic || ', partition ' || partition, source, topic, partition from positions where ctid = $1::text::tid`

// nameRow finds out what a row is. Where that fails, it stays without a name.
func (s *Store) nameRow(ctx context.Context, h *foreignLock, table, place string) {
	h.what = "row " + place + " of table " + table
	if table == "positions" {
		_ = s.pool.QueryRow(ctx, positionRowSQL, place).Scan(&h.what, &h.source, &h.of.Topic, &h.of.Partition)
	} else if sql, ok := s.service.Rows[table]; ok {
		_ = s.pool.QueryRow(ctx, sql, place).Scan(&h.what, &h.key)
	}
}

// giveUpSQL cancels what a session does, if that still waits for a lock: a commit that waits for a
// standby must not be cancelled.
const giveUpSQL = `select pg_cancel_backend($1) from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`

// giveUp reports whether it did: the call may end before the answer comes, and must know.
func (s *Store) giveUp(ctx context.Context, pid int32) (gaveUp bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	err := s.pool.QueryRow(ctx, giveUpSQL, pid).Scan(&gaveUp)
	return err == nil && gaveUp
}

const stillLockedSQL = `
select n from unnest($1::text[], $2::int[], $3::oid[], $4::text[]) with ordinality h (xid, pid, relation, mode, n)
where exists (select from pg_locks l where case when h.xid <> '' then l.locktype = 'transactionid' and l.granted and l.transactionid::text = h.xid
    else l.relation = h.relation and coalesce(l.pid, 0) = h.pid and l.mode = h.mode end)`

// stillLocked returns the locks that stand now. It asks seldom, and only if any lock is known.
func (s *Store) stillLocked(ctx context.Context, db rowsQuerier) []foreignLock {
	if !s.outsiders.any() {
		return nil
	}
	locks, ask := s.outsiders.known()
	if !ask {
		return locks
	}
	n := len(locks)
	xids, pids, relations, modes := make([]string, n), make([]int32, n), make([]uint32, n), make([]string, n)
	for i, h := range locks {
		xids[i], pids[i], relations[i], modes[i] = h.xid, h.pid, h.relation, h.mode
	}
	rows, _ := db.Query(ctx, stillLockedSQL, xids, pids, relations, modes) // its error is that of the rows, too
	still, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return locks
	}
	standing := make([]foreignLock, 0, len(still))
	for _, i := range still {
		standing = append(standing, locks[i-1])
	}
	s.outsiders.keep(standing, locks)
	return standing
}

// rowsQuerier is a connection or a pool.
type rowsQuerier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}
