package worker_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// outsider is somebody else in the database, of another role than the worker.
type outsider struct {
	p    *pipeline
	name string
	conn *pgx.Conn
}

func (p *pipeline) outsider() *outsider {
	p.t.Helper()
	o := &outsider{p: p, name: fmt.Sprint("outsider_", time.Now().UnixNano())}
	p.execute("create role " + o.name + " superuser login")
	u, err := url.Parse(p.database)
	require.NoError(p.t, err)
	u.User = url.User(o.name)
	o.conn, err = pgx.Connect(p.t.Context(), u.String())
	require.NoError(p.t, err)
	p.t.Cleanup(func() {
		ctx := context.Background()
		_ = o.conn.Close(ctx)
		conn, err := pgx.Connect(ctx, p.database)
		require.NoError(p.t, err)
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "drop role "+o.name)
		require.NoError(p.t, err)
	})
	return o
}

// locks has something locked until it releases it.
func (o *outsider) locks(statement string) {
	o.p.t.Helper()
	_, err := o.conn.Exec(o.p.t.Context(), "begin; "+statement)
	require.NoError(o.p.t, err)
}

func (o *outsider) releases() {
	o.p.t.Helper()
	_, err := o.conn.Exec(o.p.t.Context(), "rollback")
	require.NoError(o.p.t, err)
}

// applied is how far partitions are applied.
func (p *pipeline) applied() (at [outagePartitions]int) {
	p.t.Helper()
	for i := range at {
		at[i] = p.number(`select coalesce(sum(next_offset), 0) from positions where topic = $1 and partition = $2`, p.commands, i)
	}
	return at
}

// othersGoOn waits until the other partitions have applied more than they had.
func (p *pipeline) othersGoOn(had [outagePartitions]int, but ...int) {
	p.t.Helper()
	testbed.Eventually(p.t, func() bool {
		at := p.applied()
		for i := range at {
			if !slices.Contains(but, i) && at[i] <= had[i]+100 {
				return false
			}
		}
		return true
	})
}

// Partition 1 has a key of its own, which is also on partition 2, but only later.
func TestWorker_onlyPartitionsThatNeedALockedKeyWait(t *testing.T) {
	p := setup(t, outagePartitions)
	m := p.start()
	p.createEach(outagePartitions)
	p.await(outagePartitions)
	someone := p.outsider()
	load := p.load()
	p.awaitEnd(p.events, 200)

	someone.locks(`select from counters where key = 'key1' for update`)
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_locked") == 1 })
	stuck := p.applied()
	p.othersGoOn(stuck, 1)
	require.Equal(t, stuck[1], p.applied()[1])
	require.Contains(t, strings.Join(m.Notes(), "\n"), fmt.Sprintf("partition 1: waits at offset %d for counter key1, locked by process %d, user %q", stuck[1],
		someone.conn.PgConn().PID(), someone.name))
	require.Equal(t, 1, strings.Count(p.log.String(), "a partition waits alone for what somebody else has locked"))

	p.send(2, add("key1", "late"))
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_locked") == 2 })
	stuck = p.applied()
	p.othersGoOn(stuck, 1, 2)
	require.Empty(t, m.NotReady(t.Context()))

	someone.releases()
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_locked") == 0 })
	require.Empty(t, m.Notes())
	sent := load.stop()
	p.awaitAllCommitted()
	p.checkAdded(sent + 1)
	require.NoError(t, m.stop())
}

// Only who gives a name writes to the table of names, so only these wait for it.
func TestWorker_findsOutWhichPartitionsNeedALockedTable(t *testing.T) {
	p := setup(t, outagePartitions)
	m := p.start()
	p.createEach(outagePartitions)
	p.await(outagePartitions)
	someone := p.outsider()
	someone.locks(`lock table counter_names in share mode`)
	load := p.load()
	p.send(1, create("key1", "late", 0))
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_locked") == 1 })
	require.Contains(t, strings.Join(m.Notes(), "\n"), "for table counter_names, locked by process")
	stuck := p.applied()
	p.othersGoOn(stuck, 1)
	require.Equal(t, stuck[1], p.applied()[1])
	someone.releases()
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_locked") == 0 })
	sent := load.stop()
	p.awaitAllCommitted()
	p.checkAdded(sent)
	require.NoError(t, m.stop())
}

func TestWorker_isNotReadyWhereEveryPartitionWaitsForALock(t *testing.T) {
	p := setup(t, outagePartitions)
	p.stall = time.Second
	m := p.start()
	p.createEach(outagePartitions)
	p.await(outagePartitions)
	someone := p.outsider()
	someone.locks(`select from counters for update`)
	p.addToEach(outagePartitions, 1)
	testbed.Eventually(p.t, func() bool {
		return strings.Count(strings.Join(m.NotReady(t.Context()), "\n"), ", locked by process ") == outagePartitions
	})
	someone.releases()
	testbed.Eventually(p.t, func() bool { return len(m.NotReady(t.Context())) == 0 })
	p.await(2 * outagePartitions)
	p.checkAdded(outagePartitions)
	require.NoError(t, m.stop())
}

// A worker starts while somebody has the position of one of its partitions.
func TestWorker_claimsWhatItCanWhereAPositionIsLocked(t *testing.T) {
	p := setup(t, outagePartitions)
	m := p.start()
	p.createEach(outagePartitions)
	p.await(outagePartitions)
	p.awaitAllCommitted()
	require.NoError(t, m.stop())
	someone := p.outsider()
	someone.locks(`select from positions where partition = 1 for update`)
	m = p.start()
	p.addToEach(outagePartitions, 1)
	testbed.Eventually(p.t, func() bool { at := p.applied(); return at[0] == 2 && at[2] == 2 && at[3] == 2 })
	require.Equal(t, 1, p.applied()[1])
	require.Empty(t, m.NotReady(t.Context()))
	require.Contains(t, strings.Join(m.Notes(), "\n"), "partition 1: nothing comes since ")
	require.Contains(t, strings.Join(m.Notes(), "\n"), fmt.Sprintf("its position cannot be claimed: the position of %s, partition 1 is locked by process", p.commands))
	require.Equal(t, 1.0, m.gauge("partitions_locked"))
	someone.releases()
	testbed.Eventually(p.t, func() bool { return p.applied()[1] == 2 })
	testbed.Eventually(p.t, func() bool { return len(m.Notes()) == 0 && m.gauge("partitions_locked") == 0 })
	p.checkAdded(outagePartitions)
	require.NoError(t, m.stop())
}
