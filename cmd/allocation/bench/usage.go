package bench

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// usage is what was used up to a moment: CPU seconds where they can be seen, and bytes.
type usage struct {
	worker, kafka, postgres *float64
	wal, tables             int64
	batches                 batches
}

// systems are the processes of the servers, where they are on this machine and this user may see
// them.
type systems struct {
	kafka    []int
	postgres int // 0: not seen
}

// findSystems looks for all brokers of the cluster, and the database.
func (r *run) findSystems(ctx context.Context, admin *kadm.Client) (s systems, err error) {
	metadata, err := admin.BrokerMetadata(ctx)
	if err != nil {
		return s, fmt.Errorf("ask Kafka for its brokers: %w", err)
	}
	for _, broker := range metadata.Brokers {
		pid, ok := listenerOf(ctx, broker.Host, int(broker.Port))
		if !ok {
			s.kafka = nil
			break
		}
		s.kafka = append(s.kafka, pid)
	}
	database := r.site.DB.Config()
	if pid, ok := listenerOf(ctx, database.Host, int(database.Port)); ok && nameOf(pid) == "postgres" { // and no pooler before it
		s.postgres = pid
	}
	return s, nil
}

// use measures what was used up to now. A worker that was not started yet used nothing.
func (r *run) use(ctx context.Context) (u usage, err error) {
	u.kafka = sum(r.systems.kafka, func(pid int) (float64, bool) { t, ok := timesOf(pid); return t.own, ok })
	if r.systems.postgres != 0 {
		u.postgres = sum([]int{r.systems.postgres}, familySeconds)
	}
	var pids []int
	for _, w := range r.workers {
		pids = append(pids, w.process.PID())
	}
	u.worker = sum(pids, func(pid int) (float64, bool) { t, ok := timesOf(pid); return t.own, ok })
	for _, w := range r.workers {
		if err := w.addBatches(ctx, &u.batches); err != nil {
			return u, err
		}
	}
	err = r.site.DB.QueryRow(ctx, bytesSQL).Scan(&u.wal, &u.tables)
	if err != nil {
		return u, fmt.Errorf("measure the database: %w", causeOf(ctx, err))
	}
	return u, nil
}

// sum adds up what each process used; nil where there is none, or one cannot be seen.
func sum(pids []int, seconds func(pid int) (float64, bool)) *float64 {
	if len(pids) == 0 {
		return nil
	}
	total := 0.0
	for _, pid := range pids {
		s, ok := seconds(pid)
		if !ok {
			return nil
		}
		total += s
	}
	return &total
}

// bytesSQL is where the log ends, and how large the tables are that grow, with their indexes.
const bytesSQL = `
select (pg_current_wal_lsn() - '0/0')::bigint, (
    select sum(pg_total_relation_size(c.oid))::bigint from pg_class c
    where c.oid in ('products'::regclass, 'batches'::regclass, 'lines'::regclass, 'positions'::regclass, 'dead_letters'::regclass)
       or c.oid in (select inhrelid from pg_inherits where inhparent = 'outbox'::regclass))`

// each is what a command used between two moments; nil where it could not be seen. before may be
// nil: nothing was used.
func each(before, after *float64, commands int) *float64 {
	if after == nil || commands == 0 {
		return nil
	}
	used := *after
	if before != nil {
		used -= *before
	}
	used /= float64(commands)
	return &used
}
