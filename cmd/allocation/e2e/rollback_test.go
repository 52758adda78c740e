package e2e

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/checker"
	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/backup"
	"allocation/deploy/testbed/standby"
)

const (
	rollbackPartitions = 4
	rollbackProducts   = 24
)

// TestDatabase_restoredToAnEarlierPoint: a base backup and the archived log give back the database
// of a while ago. Workers that start on it say so, and apply what came after it again: the same
// events, byte for byte, and the same state.
func TestDatabase_restoredToAnEarlierPoint(t *testing.T) {
	t.Parallel()
	server, err := backup.Open(t.Context(), serverFolder(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	a := setupOn(t, rollbackPartitions, server.URL())
	l := a.keyedLoad(t, rollbackPartitions, rollbackProducts)
	base, err := server.Backup(t.Context())
	require.NoError(t, err)
	first := a.start("first", "")
	l.send(1500)
	testbed.Eventually(t, a.someApplied)
	require.NoError(t, server.Point(t.Context(), "noon"))
	l.send(1500)
	before := a.check(time.Minute)
	first.stop()

	require.NoError(t, server.Restore(t.Context(), base, "noon"))
	a.db.Reset()
	behind := a.behind(before)
	require.Positive(t, behind)
	workers := []*process{a.start("second", ""), a.start("third", "")}
	after := a.check(time.Minute)
	reported(t, workers)
	a.sameAgain(before, after, behind)
	l.send(300)
	a.check(time.Minute)
	for _, w := range workers {
		w.stop()
	}
}

// TestDatabase_failedOverWhileIdle: an asynchronous standby takes over without the last commits. No
// command comes to remind of them. The workers, which nobody starts again, find it, say so, and
// apply the lost ones again.
func TestDatabase_failedOverWhileIdle(t *testing.T) {
	t.Parallel()
	a, workers := losesCommits(t)
	before := a.history()
	a.failOver()
	behind := a.behind(before)
	require.Positive(t, behind)
	after := a.check(30 * time.Second)
	a.sameAgain(before, after, behind)
	reported(t, workers)
}

// TestDatabase_failedOverWithAnyKeys: the workers find it with the next commands. Where a product's
// commands came by several partitions, they may be applied in another order than before; yet each
// takes effect exactly once, everything is published, and the tables are what their events say.
func TestDatabase_failedOverWithAnyKeys(t *testing.T) {
	t.Parallel()
	a, workers := losesCommits(t)
	l := a.load(random(t), rollbackPartitions, 12)
	l.send(1000)
	await(t, time.Minute, a.done, "everything is applied, published and reported")
	before := a.history()
	l.send(200)
	a.failOver()
	l.sendEverywhere()
	l.send(800)
	require.Positive(t, a.behind(before))
	await(t, time.Minute, a.done, "everything is applied, published and reported")
	reported(t, workers)
	for _, w := range workers {
		w.stop()
	}
	t.Log(a.subcommand("verify"))
	var twice int
	require.NoError(t, a.db.QueryRow(t.Context(), `select count(*) from (
		select 1 from outbox group by source, command_offset, event_no, type = '' having count(*) > 1) o`).Scan(&twice))
	require.Zero(t, twice)
}

// failingArena is an arena on a pair of Postgres servers.
type failingArena struct {
	*arena
	pair *standby.Pair
}

// losesCommits has two workers apply and publish commands of which the standby has the first half.
func losesCommits(t *testing.T) (*failingArena, []*process) {
	t.Helper()
	pair, err := standby.Open(t.Context(), serverFolder(t), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pair.Close()) })
	a := &failingArena{setupOn(t, rollbackPartitions, pair.ProxiedURL("postgres", "postgres", url.Values{"connect_timeout": {"2"}})), pair}
	l := a.keyedLoad(t, rollbackPartitions, rollbackProducts)
	workers := []*process{a.start("first", ""), a.start("second", "")}
	l.send(1500)
	a.check(time.Minute)
	require.NoError(t, pair.AwaitStream(t.Context()))
	awaitReplay(t, pair)
	pair.Lag()
	l.send(1500)
	await(t, time.Minute, a.done, "everything is applied, published and reported")
	return a, workers
}

func (a *failingArena) failOver() {
	a.t.Helper()
	require.NoError(a.t, a.pair.FailOver(a.t.Context()))
	a.db.Reset()
}

func logged(workers []*process, text string) bool {
	return slices.ContainsFunc(workers, func(w *process) bool { return w.logged(text) })
}

// reported requires that the database went back, and that one of the workers said and counted it.
func reported(t *testing.T, workers []*process) {
	t.Helper()
	require.True(t, logged(workers, "the database is behind"))
	rollbacks := 0
	for _, w := range workers {
		rollbacks += w.rollbacks()
	}
	require.Positive(t, rollbacks)
}

func serverFolder(t *testing.T) string {
	t.Helper()
	dir, sweeper, err := child.TempDir("allocation-e2e-postgres-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = sweeper.Close() })
	return dir
}

func (a *arena) someApplied() bool {
	for _, p := range a.positions() {
		if p.NextOffset > 50 {
			return true
		}
	}
	return false
}

// behind is how many commands the database does not have that it had.
func (a *arena) behind(before *checker.History) (commands int64) {
	a.t.Helper()
	now := a.positions()
	for _, p := range before.Tables.Positions {
		commands += p.NextOffset - now[topicPartition{p.Topic, p.Partition}].NextOffset
	}
	return commands
}

// sameAgain wants the same state as before, and only repeats of the same bytes to have been
// published, of at least so many commands.
func (a *arena) sameAgain(before, after *checker.History, behind int64) {
	a.t.Helper()
	require.ElementsMatch(a.t, before.Tables.Products, after.Tables.Products)
	require.ElementsMatch(a.t, before.Tables.Batches, after.Tables.Batches)
	require.ElementsMatch(a.t, before.Tables.Lines, after.Tables.Lines)
	require.ElementsMatch(a.t, before.Tables.Outbox, after.Tables.Outbox)
	require.ElementsMatch(a.t, before.Tables.Letters, after.Tables.Letters)
	repeats, others := a.onlyRepeats(before, after)
	require.Positive(a.t, repeats)
	require.Zero(a.t, others)
	a.t.Logf("%d commands applied again, %d event records and %d dead letter records repeated", behind, repeats, len(after.Letters)-len(before.Letters))
}

// onlyRepeats wants what was published before to have been published again with the same bytes, if
// at all, and counts repeats and other events.
func (a *arena) onlyRepeats(before, after *checker.History) (repeats, others int) {
	a.t.Helper()
	known := publishedBytes(a.t, before)
	for _, packed := range after.Events {
		e := packed.Record()
		id, bytes := eventBytes(&e)
		if known[id] == "" {
			others++
			continue
		}
		repeats++
		require.Equal(a.t, known[id], bytes, id)
	}
	return repeats - len(before.Events), others
}

// publishedBytes are the events by their ids: all records of one are the same.
func publishedBytes(t testing.TB, h *checker.History) map[string]string {
	t.Helper()
	published := map[string]string{}
	for _, packed := range h.Events {
		e := packed.Record()
		id, bytes := eventBytes(&e)
		require.Contains(t, []string{"", bytes}, published[id], "a repeat is the same")
		published[id] = bytes
	}
	return published
}

// eventBytes are an event's id, and all of it that must be the same in a repeat.
func eventBytes(r *checker.Record) (id, all string) {
	for _, h := range r.Headers {
		if h.Key == "ce_id" {
			id = string(h.Value)
		}
	}
	return id, fmt.Sprintf("%d %q %q %q", r.Partition, r.Key, r.Value, r.Headers)
}

// awaitReplay returns when the standby has everything.
func awaitReplay(t testing.TB, pair *standby.Pair) {
	t.Helper()
	testbed.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), pair.URL("postgres", "postgres"))
		if err != nil {
			return false
		}
		defer conn.Close(context.Background())
		var all bool
		err = conn.QueryRow(t.Context(), "select coalesce(bool_and(flush_lsn >= pg_current_wal_lsn()), false) from pg_stat_replication").Scan(&all)
		return err == nil && all
	})
}

var rollbacksMetric = regexp.MustCompile(`(?m)^allocation_database_rollbacks_total (\d+)$`)

// rollbacks is how often the worker found the database behind.
func (p *process) rollbacks() int {
	p.t.Helper()
	found := rollbacksMetric.FindStringSubmatch(p.Get("/metrics"))
	require.NotNil(p.t, found)
	n, err := strconv.Atoi(found[1])
	require.NoError(p.t, err)
	return n
}
