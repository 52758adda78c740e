package e2e

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/deploy/testbed"
)

// TestDatabases_anotherOneMayNotShareTheGroup: a worker of another database, such as staging's with
// production's group and topics, is refused while workers of the first run, and when they rest.
func TestDatabases_anotherOneMayNotShareTheGroup(t *testing.T) {
	t.Parallel()
	a := setup(t, 2)
	l := a.load(random(t), 2, 4)
	first := a.start("first", "")
	l.send(50)
	a.check(time.Minute)
	other := testbed.Migrated(t)
	refused := func(name string) {
		second := a.startOn(name, other)
		second.refused()
		require.True(t, second.logged(a.identity(a.database)), "it names the one")
		require.True(t, second.logged(a.identity(other)), "and the other")
		require.True(t, second.logged("--kafka-group-id"), "and what to change")
	}
	refused("staging")
	require.Equal(t, ready, first.Get("/readyz"))
	l.send(50)
	a.check(time.Minute)
	first.stop()
	refused("later")
	var remembered int
	a.onDatabase(other, `select count(*) from kafka_cluster`, &remembered)
	require.Zero(t, remembered, "it may have a group of its own")
}

// TestDatabases_aCopyMayNotShareTheGroup: the same, where the other database is a copy of the
// first.
func TestDatabases_aCopyMayNotShareTheGroup(t *testing.T) {
	t.Parallel()
	a := setup(t, 2)
	l := a.keyedLoad(t, 2, 4)
	first := a.start("first", "")
	l.send(50)
	a.check(time.Minute)
	copied := a.copyDatabase()
	l.send(50)
	before := a.check(time.Minute)
	second := a.startOn("second", copied)
	second.refused()
	require.True(t, second.logged("has a worker of a copy of this database"))
	require.True(t, second.logged(a.identity(a.database)))
	require.Equal(t, ready, first.Get("/readyz"))
	after := a.check(time.Minute)
	require.Len(t, after.Events, len(before.Events), "nothing is applied again")
	l.send(50)
	a.check(time.Minute)
	first.stop()
}

// TestDatabases_aCopyThatJoinedUnseenAppliesNothing: a worker of a copy joins when nobody is there,
// and freezes before its first claim. When it goes on, a worker of the original is at work.
func TestDatabases_aCopyThatJoinedUnseenAppliesNothing(t *testing.T) {
	t.Parallel()
	a := setup(t, rollbackPartitions)
	l := a.keyedLoad(t, rollbackPartitions, rollbackProducts)
	copied := a.copyDatabase()
	second := a.startOn("second", copied, "ALLOCATION_FAULT=assigned:1:stop")
	await(t, 20*time.Second, second.frozen, "the copy's worker is frozen")
	first := a.start("first", "")
	l.send(200)
	before := a.check(time.Minute)

	second.Signal(syscall.SIGCONT)
	await(t, time.Minute, func() bool { return strings.Contains(second.Get("/readyz"), "has a worker of a copy of this database") }, "the copy's worker is red")
	require.Contains(t, second.Get("/metrics"), `allocation_foreign_members{kind="database"} 1`)
	require.True(t, second.logged("nothing is applied while the group is shared by workers of two databases"))
	second.stop()
	l.send(200)
	after := a.check(time.Minute)
	_, others := a.onlyRepeats(before, after)
	require.Positive(t, others)
	var applied int64
	a.onDatabase(copied, `select coalesce(sum(next_offset), 0) from positions`, &applied)
	require.Zero(t, applied)
	first.stop()
}

// TestDatabases_restoredInPlaceWhileWorkersRun: drop, create, restore, on the same server, with
// workers running all the time: it is still itself.
func TestDatabases_restoredInPlaceWhileWorkersRun(t *testing.T) {
	t.Parallel()
	a := setup(t, rollbackPartitions)
	l := a.keyedLoad(t, rollbackPartitions, rollbackProducts)
	workers := []*process{a.start("first", ""), a.start("second", "")}
	l.send(300)
	a.check(time.Minute)
	dump := a.copyDatabase()
	l.send(300)
	before := a.check(time.Minute)

	a.restore(dump)
	behind := a.behind(before)
	require.Positive(t, behind)
	after := a.check(time.Minute)
	a.sameAgain(before, after, behind)
	require.True(t, logged(workers, "the database is behind"))
	l.send(300)
	a.check(time.Minute)
	for _, w := range workers {
		require.False(t, w.logged("shared by workers of two databases"))
		await(t, 20*time.Second, func() bool { return w.Get("/readyz") == ready }, "ready")
		w.stop()
	}
}

// TestDatabases_restoredInPlaceUnderTraffic: each worker finds out at once that the database went
// back. None waits for the others for long.
func TestDatabases_restoredInPlaceUnderTraffic(t *testing.T) {
	t.Parallel()
	a := setup(t, rollbackPartitions)
	l := a.keyedLoad(t, rollbackPartitions, rollbackProducts)
	workers := []*process{a.start("first", ""), a.start("second", "")}
	l.send(300)
	a.check(time.Minute)
	dump := a.copyDatabase()
	l.send(300)
	a.check(time.Minute)

	a.restore(dump)
	ends := a.ends()
	await(t, a.session+5*time.Second, func() bool {
		l.sendEverywhere()
		at := a.positions()
		for partition, end := range ends {
			if at[partition].NextOffset <= end && partition.Topic == a.commands[0] {
				return false
			}
		}
		return true
	}, "all partitions advance, as promise 6 says")
	a.check(time.Minute)
	for _, w := range workers {
		w.stop()
	}
}

// TestDatabases_aWorkerThatFindsAnotherStops: workers of another database, or of a copy, get into
// the group in spite of all. The workers that run there apply nothing while these are there, say
// why, and go on when they are gone.
func TestDatabases_aWorkerThatFindsAnotherStops(t *testing.T) {
	for name, copied := range map[string]bool{"of another database": false, "of a copy": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t, 4)
			l := a.load(random(t), 4, 4)
			w := a.start("worker", "")
			l.sendEverywhere()
			a.check(time.Minute)
			database := uuid.New()
			if copied {
				database = uuid.MustParse(a.identity(a.database))
			}
			imposter := a.imposter(database)
			await(t, time.Minute, func() bool {
				return strings.Contains(w.Get("/readyz"), `"ready":false`) && strings.Contains(w.Get("/readyz"), database.String())
			}, "it is red")
			require.Contains(t, w.Get("/metrics"), `allocation_foreign_members{kind="database"} 1`)
			at := a.positions()
			l.sendEverywhere()
			never(t, 3*time.Second, func() bool { return !samePositions(at, a.positions()) }, "nothing is applied")
			imposter()
			if !copied { // what it told of partitions stays, until an operator decides
				return
			}
			await(t, time.Minute, func() bool { return w.Get("/readyz") == ready }, "it goes on")
			a.check(time.Minute)
			w.stop()
		})
	}
}

// imposter is a member of the group that says what a worker of a database says, and applies
// nothing; it returns what ends it.
func (a *arena) imposter(database uuid.UUID) (end func()) {
	client := a.stranger(says{kgo.CooperativeStickyBalancer(), database}, kgo.DisableAutoCommit())
	ctx, cancel := context.WithCancel(a.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				client.CommitOffsetsSync(a.tellsNonce(ctx, database), a.told(client), nil)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
		client.Close()
	}
}

// tellsNonce has a commit tell an nonce that no database has.
func (a *arena) tellsNonce(ctx context.Context, database uuid.UUID) context.Context {
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		id, err := uuid.NewV7()
		says := "worker/1 " + database.String() + " " + id.String() + " " + req.MemberID
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				req.Topics[t].Partitions[p].Metadata = &says
			}
		}
		return err
	})
}

// told are offset 0 of all partitions that the client has.
func (a *arena) told(client *kgo.Client) map[string]map[int32]kgo.EpochOffset {
	offsets := map[string]map[int32]kgo.EpochOffset{}
	id, _ := client.GroupMetadata()
	for _, l := range a.assigned()[id] {
		if offsets[l.Topic] == nil {
			offsets[l.Topic] = map[int32]kgo.EpochOffset{}
		}
		offsets[l.Topic][l.Partition] = kgo.EpochOffset{Epoch: -1}
	}
	return offsets
}

// says is a balancer whose member says that it is a worker of a database.
type says struct {
	kgo.GroupBalancer
	database uuid.UUID
}

func (s says) JoinGroupMetadata(topics []string, current map[string][]int32, generation int32) []byte {
	var meta kmsg.ConsumerMemberMetadata
	if err := meta.ReadFrom(s.GroupBalancer.JoinGroupMetadata(topics, current, generation)); err != nil {
		panic(err)
	}
	meta.UserData = append(append(meta.UserData, "worker/1"...), s.database[:]...)
	return meta.AppendTo(nil)
}

// startOn starts a worker on another database.
func (a *arena) startOn(name, database string, variables ...string) *process {
	a.t.Helper()
	own := a.database
	defer func() { a.database = own }()
	a.database = database
	return a.start(name, "", variables...)
}

// refused waits until the worker has ended by itself, with exit code 1.
func (p *process) refused() {
	p.t.Helper()
	await(p.t, time.Minute, func() bool { return !p.Running() }, "%s is refused", p.name)
	var exit *exec.ExitError
	require.ErrorAs(p.t, p.Err(), &exit)
	require.Equal(p.t, 1, exit.ExitCode())
}

// identity is a database's own id.
func (a *arena) identity(database string) (id string) {
	a.t.Helper()
	a.onDatabase(database, `select id::text from database_identity`, &id)
	return id
}

func (a *arena) onDatabase(database, sql string, into any) {
	a.t.Helper()
	conn, err := pgx.Connect(a.t.Context(), database)
	require.NoError(a.t, err)
	defer conn.Close(context.Background())
	require.NoError(a.t, conn.QueryRow(a.t.Context(), sql).Scan(into))
}

// copyDatabase copies the database as it is now, as a dump that is restored beside it, and returns
// the copy's URL. Workers lose their connections for a moment.
func (a *arena) copyDatabase() (copied string) {
	a.t.Helper()
	copied = testbed.Database(a.t)
	a.replace(copied, a.database)
	return copied
}

// restore replaces the database by a copy that was made of it.
func (a *arena) restore(dump string) {
	a.t.Helper()
	a.replace(a.database, dump)
}

// replace makes a database anew from another, and ends its sessions first.
func (a *arena) replace(database, template string) {
	a.t.Helper()
	server, err := url.Parse(a.database)
	require.NoError(a.t, err)
	server.Path = "/postgres"
	conn, err := pgx.Connect(a.t.Context(), server.String())
	require.NoError(a.t, err)
	defer conn.Close(context.Background())
	name, from := nameIn(a.t, database), nameIn(a.t, template)
	execute := func(sql string) {
		_, err := conn.Exec(a.t.Context(), sql)
		require.NoError(a.t, err, sql)
	}
	quoted := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	execute("drop database " + quoted(name) + " with (force)")
	execute("alter database " + quoted(from) + " allow_connections false")
	await(a.t, 30*time.Second, func() bool {
		_, err := conn.Exec(a.t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", from)
		require.NoError(a.t, err)
		_, err = conn.Exec(a.t.Context(), "create database "+quoted(name)+" template "+quoted(from))
		return err == nil
	}, "the copy is made")
	execute("alter database " + quoted(from) + " allow_connections true")
	execute("alter database " + quoted(name) + " allow_connections true")
	a.db.Reset()
}

func nameIn(t testing.TB, database string) string {
	t.Helper()
	parsed, err := url.Parse(database)
	require.NoError(t, err)
	return strings.TrimPrefix(parsed.Path, "/")
}

func samePositions(a, b map[topicPartition]position) bool {
	for l, p := range a {
		if b[l].NextOffset != p.NextOffset {
			return false
		}
	}
	return true
}

// never polls for a while, in which something must not become so.
func never(t testing.TB, while time.Duration, so func() bool, what string) {
	t.Helper()
	over := time.NewTimer(while)
	defer over.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		require.False(t, so(), what)
		select {
		case <-tick.C:
		case <-over.C:
			return
		}
	}
}
