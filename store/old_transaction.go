package store

import (
	"context"
	"fmt"
	"time"
)

// OldTransaction is what holds back the cleaning of dead rows the most.
type OldTransaction struct {
	Age    time.Duration // 0: there is none
	Holder string        // for people
}

// A row that was changed leaves a dead version, which is cleaned when no snapshot and no
// transaction that is still open can need it: of sessions of this database, of prepared
// transactions, of standbys that say what they need, and of replication slots. What a slot needs of
// the catalogs alone holds back nothing here, and a VACUUM's own snapshot neither. Transaction ids
// can be seen without any right; since when a session of another role is in its transaction cannot.
// A session that listens reads notifications in a transaction while it is idle. That seems to have
// begun with the session's last statement, however long ago.
const oldTransactionSQL = `
with holders (xids, kind, name, pid, usename, backend, since) as (
    select greatest(age(backend_xid), age(backend_xmin)),
        case when datid is null then 'standby' when state = 'idle' then 'listener' else 'session' end, application_name, pid,
        usename, backend_type, case when state is distinct from 'idle' then xact_start end
    from pg_stat_activity
    where coalesce(datname = current_database(), true) and (backend_xid is not null or backend_xmin is not null) and pid <> pg_backend_pid()
        and pid not in (select pid from pg_stat_progress_vacuum)
    union all
    select age(transaction), 'prepared', gid, 0, owner, '', prepared from pg_prepared_xacts where database = current_database()
    union all
    select age(xmin), 'slot', slot_name, 0, '', '', null from pg_replication_slots where xmin is not null)
select n.next, n.next - coalesce(h.xids, 0), coalesce(h.kind, ''), coalesce(h.name, ''), coalesce(h.pid, 0), coalesce(h.usename, ''), coalesce(h.backend, ''),
    h.since, coalesce(extract(epoch from clock_timestamp() - h.since), 0)::float8
from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next) n
left join (select * from holders order by xids desc, since limit 1) h on true`

// OldestTransaction tells what holds back the cleaning of dead rows the most. Where the age cannot
// be seen, it is told from what earlier calls saw: it is at least so old.
func (s *Store) OldestTransaction(ctx context.Context) (OldTransaction, error) {
	var next, xid int64
	var kind, name, user, backend string
	var pid int32
	var since *time.Time
	var seconds float64
	into := []any{&next, &xid, &kind, &name, &pid, &user, &backend, &since, &seconds}
	if err := s.one(ctx, "look for old transactions", into, oldTransactionSQL); err != nil {
		return OldTransaction{}, err
	}
	now := time.Now()
	s.xids.note(now, next)
	if kind == "" {
		return OldTransaction{}, nil
	}
	old := OldTransaction{Age: s.xids.age(now, xid)}
	if since != nil {
		old.Age = time.Duration(seconds * float64(time.Second))
	}
	switch kind {
	case "session":
		old.Holder = holderText(pid, user, name, backend, since)
	case "listener":
		old.Holder = fmt.Sprintf("process %d, user %q, application %q, which reads notifications", pid, user, name)
	case "standby":
		old.Holder = fmt.Sprintf("the standby of process %d, user %q, application %q, by hot_standby_feedback", pid, user, name)
	case "prepared":
		old.Holder = fmt.Sprintf("the prepared transaction %q of user %q, since %s", name, user, since.UTC().Format(time.RFC3339))
	default:
		old.Holder = fmt.Sprintf("the replication slot %q", name)
	}
	return old, nil
}
