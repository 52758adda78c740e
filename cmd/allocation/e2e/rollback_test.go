package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/checker"
	"allocation/deploy/local"
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
	first := a.startObserved("first")
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
	worker, other := a.startObserved("second"), a.startObserved("third")
	after := a.check(time.Minute)
	require.True(t, logged([]*observed{worker, other}, "the database is behind"), "it is reported")
	require.Positive(t, worker.rollbacks()+other.rollbacks(), "and counted")
	a.sameAgain(before, after, behind)
	l.send(300)
	a.check(time.Minute)
	worker.stop()
	other.stop()
}

// TestDatabase_failedOverWithLostCommits: an asynchronous standby takes over without the last
// commits. The workers, which nobody starts again, find it with the next commands, say so, and
// apply the lost ones again.
func TestDatabase_failedOverWithLostCommits(t *testing.T) {
	t.Parallel()
	a, l, workers := losesCommits(t)
	before := a.history()
	a.failOver()
	behind := a.behind(before)
	require.Positive(t, behind)
	l.sendEverywhere()
	after := a.check(time.Minute)
	a.onlyRepeats(before, after)
	require.True(t, logged(workers, "the database is behind"), "it is reported")
	require.Positive(t, rollbacks(workers), "and counted")
	l.send(300)
	a.check(time.Minute)
}

// TestDatabase_failedOverWhileIdle: as above, but no command comes to remind of those that were
// lost.
func TestDatabase_failedOverWhileIdle(t *testing.T) {
	t.Parallel()
	a, _, workers := losesCommits(t)
	before := a.history()
	a.failOver()
	behind := a.behind(before)
	require.Positive(t, behind)
	after := a.check(30 * time.Second)
	a.sameAgain(before, after, behind)
	require.True(t, logged(workers, "the database is behind"), "it is reported")
	require.Positive(t, rollbacks(workers), "and counted")
}

// failingArena is an arena on a pair of Postgres servers.
type failingArena struct {
	*arena
	pair *standby.Pair
}

// losesCommits has two workers apply and publish commands of which the standby has the first half.
func losesCommits(t *testing.T) (*failingArena, *load, []*observed) {
	t.Helper()
	pair, err := standby.Open(t.Context(), serverFolder(t), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pair.Close()) })
	a := &failingArena{setupOn(t, rollbackPartitions, pair.ProxiedURL("postgres", "postgres", url.Values{"connect_timeout": {"2"}})), pair}
	l := a.keyedLoad(t, rollbackPartitions, rollbackProducts)
	workers := []*observed{a.startObserved("first"), a.startObserved("second")}
	l.send(1500)
	a.check(time.Minute)
	require.NoError(t, pair.AwaitStream(t.Context()))
	awaitReplay(t, pair)
	pair.Lag()
	l.send(1500)
	await(t, time.Minute, a.done, "everything is applied, published and reported")
	return a, l, workers
}

func (a *failingArena) failOver() {
	a.t.Helper()
	require.NoError(a.t, a.pair.FailOver(a.t.Context()))
	a.db.Reset()
}

func logged(workers []*observed, text string) bool {
	return slices.ContainsFunc(workers, func(w *observed) bool { return w.logged(text) })
}

func rollbacks(workers []*observed) (n int) {
	for _, w := range workers {
		n += w.rollbacks()
	}
	return n
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
	known := map[string]string{}
	for _, packed := range before.Events {
		e := packed.Record()
		id, bytes := eventBytes(&e)
		known[id] = bytes
	}
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

// observed is a worker whose metrics can be asked for.
type observed struct {
	*process
	http string
}

func (a *arena) startObserved(name string, variables ...string) *observed {
	a.t.Helper()
	port, err := local.FreePort()
	require.NoError(a.t, err)
	addr := "127.0.0.1:" + strconv.Itoa(port)
	return &observed{process: a.start(name, "", append(variables, "HTTP_ADDR="+addr)...), http: "http://" + addr}
}

var rollbacksMetric = regexp.MustCompile(`(?m)^allocation_database_rollbacks_total (\d+)$`)

// rollbacks is how often the worker found the database behind.
func (o *observed) rollbacks() int {
	o.t.Helper()
	request, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, o.http+"/metrics", nil)
	require.NoError(o.t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	require.NoError(o.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(o.t, err)
	found := rollbacksMetric.FindSubmatch(body)
	require.NotNil(o.t, found, "%s", body)
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(o.t, err)
	return n
}

// TestDatabase_failedOverWithAnyKeys: where a product's commands came by several partitions, they
// may be applied in another order than before; yet each takes effect exactly once, everything is
// published, and the tables are what their events say.
func TestDatabase_failedOverWithAnyKeys(t *testing.T) {
	t.Parallel()
	a, _, workers := losesCommits(t)
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
	for _, w := range workers {
		w.stop()
	}
	verify := exec.Command(a.program, "verify")
	verify.Env = a.environment()
	out, err := verify.CombinedOutput()
	require.NoError(t, err, string(out))
	var twice int
	require.NoError(t, a.db.QueryRow(t.Context(), `select count(*) from (
		select 1 from outbox group by source, command_offset, event_no, type = '' having count(*) > 1) o`).Scan(&twice))
	require.Zero(t, twice)
	t.Logf("%s", out)
}
