package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// The versions of workers.
const (
	older = "older"
	newer = "newer"
)

// rollout is workers of this version and of the version before, each in a place of its own, in one
// group and on one database.
type rollout struct {
	arena    *arena
	load     *load
	programs map[string]string
	login    string // the database, for workers: migrating also sets their rights
	workers  []*process
	started  int
}

func newRollout(t *testing.T, partitions int32) *rollout {
	t.Helper()
	before, err := testbed.BuildBefore("allocation/cmd/allocation")
	if errors.Is(err, testbed.ErrNoHistory) {
		t.Skip("WARNING: ", err)
	}
	require.NoError(t, err)
	a := arenaOn(t, partitions, testbed.Database(t))
	r := &rollout{arena: a, programs: map[string]string{older: before, newer: a.program}, workers: make([]*process, 3)}
	r.run(older, "migrate", "up")
	a.audit()
	r.login = a.workersLogin()
	r.load = a.load(random(t), partitions, 40)
	return r
}

// workersLogin is the database's URL for a user with no rights but the workers'.
func (a *arena) workersLogin() string {
	a.t.Helper()
	u, err := url.Parse(a.database)
	require.NoError(a.t, err)
	name := "rolling_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	a.exec("create role " + name + " login in role allocation_worker")
	a.t.Cleanup(func() {
		_, err := a.db.Exec(context.Background(), "drop role "+name)
		require.NoError(a.t, err)
	})
	u.User = url.User(name)
	return u.String()
}

func (r *rollout) run(version string, args ...string) string {
	r.arena.program = r.programs[version]
	return r.arena.subcommand(args...)
}

func (r *rollout) start(i int, version string, variables ...string) {
	r.started++
	r.arena.program = r.programs[version]
	name := fmt.Sprintf("%s-%d", version, r.started)
	variables = append(variables, "DATABASE_URL="+testbed.WithOptions(r.arena.t, r.login, "application_name", name))
	r.workers[i] = r.arena.start(name, "", variables...)
}

// replace kills a worker under load, or stops it in order, has another take its place, and returns
// when all workers apply commands.
func (r *rollout) replace(i int, end func(*process), by string) {
	r.arena.t.Helper()
	began := time.Now()
	r.load.send(150)
	end(r.workers[i])
	r.start(i, by)
	r.awaitAll()
	r.arena.t.Logf("%s in place %d after %s", r.workers[i].name, i, time.Since(began).Round(time.Millisecond))
}

// awaitAll returns when each worker has applied commands since it was called.
func (r *rollout) awaitAll() {
	r.arena.t.Helper()
	since := r.sum(`select coalesce(max(id), 0) from audit`)
	r.load.feedUntil(func() bool {
		appliers := r.appliers(since)
		return !slices.ContainsFunc(r.workers, func(w *process) bool { return !slices.Contains(appliers, w.name) })
	}, "each worker applies commands")
}

// appliers are the workers that applied commands after a change of a position.
func (r *rollout) appliers(since int) []string {
	r.arena.t.Helper()
	rows, err := r.arena.db.Query(r.arena.t.Context(), `
select distinct made_by from (
    select id, made_by, next_offset > lag(next_offset) over (partition by topic, partition order by id) as moved from audit) a
where moved and id > $1`, since)
	require.NoError(r.arena.t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(r.arena.t, err)
	return names
}

// migrate brings the schema up to date while the workers work, which must not disturb them.
func (r *rollout) migrate() {
	r.arena.t.Helper()
	type result struct {
		out []byte
		err error
	}
	ended, began := make(chan result, 1), time.Now()
	up := exec.Command(r.programs[newer], "migrate", "up")
	up.Env = r.arena.environment()
	go func() {
		out, err := up.CombinedOutput()
		ended <- result{out, err}
	}()
	var done result
	r.load.feedUntil(func() bool {
		select {
		case done = <-ended:
			return true
		default:
			return false
		}
	}, "the schema is up to date")
	require.NoError(r.arena.t, done.err, "%s", done.out)
	r.arena.t.Logf("migrated in %s under load:\n%s", time.Since(began).Round(time.Millisecond), done.out)
	r.awaitAll()
	for _, w := range r.workers {
		require.True(r.arena.t, w.Running(), w.name)
		for line := range strings.Lines(w.Logged()) {
			require.NotContains(r.arena.t, line, "retrying", "%s goes on undisturbed", w.name)
			require.NotContains(r.arena.t, line, "level=ERROR", "%s goes on undisturbed", w.name)
		}
	}
}

// TestRolling_workersOfTheVersionBefore: the schema is migrated while workers of the version before
// work. Then workers of this version take their places one after the other, killed or stopped,
// and once the other way round: the promises hold for what both did together.
func TestRolling_workersOfTheVersionBefore(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	const partitions = 4
	r := newRollout(t, partitions)
	a, killed, stopped := r.arena, func(w *process) { w.Kill() }, (*process).stop
	for i := range r.workers {
		r.start(i, older)
	}
	a.produce("CreateBatch", `{"ref":"both-b1","sku":"BOTH","qty":10}`)
	a.produce("Allocate", `{"orderid":"both-o1","sku":"BOTH","qty":7}`)
	r.awaitAll()

	r.migrate()
	a.produce("Allocate", `{"orderid":"both-o2","sku":"BOTH","qty":2}`)
	r.awaitAll()

	r.replace(0, killed, newer)
	r.replace(1, stopped, newer)
	r.replace(0, stopped, older)
	r.replace(2, killed, newer)
	r.replace(0, killed, newer)
	a.produce("ChangeBatchQuantity", `{"batchref":"both-b1","sku":"BOTH","qty":0}`)
	a.check(time.Minute)
	a.checkFence()

	t.Log(r.run(newer, "verify"))
	t.Log(r.run(older, "verify"))
	require.Contains(t, r.run(older, "show", "order", "both-o1"), "BOTH")
	require.Contains(t, r.run(older, "dlq", "list"), a.commands[0])
	r.explains()
	require.Zero(t, a.count("held_keys"))
	r.share()
}

// TestRolling_theVersionBeforeKeepsWhatWaitsForANewerWorker: a command of a later version holds its
// product. A worker of the version before leaves it so, and has what comes for the product wait,
// until one of this version is there again.
func TestRolling_theVersionBeforeKeepsWhatWaitsForANewerWorker(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	r := newRollout(t, 1)
	a := r.arena
	r.run(newer, "migrate", "up")
	const wait = "WAIT_FOR_NEWER_WORKER=1h"
	r.start(0, newer, wait)
	a.produce("CreateBatch", `{"ref":"wait-b1","sku":"WAIT","qty":10}`)
	later := &kgo.Record{Topic: a.commands[0], Value: []byte(`{"orderid":"wait-o1","sku":"WAIT","qty":{"pieces":1}}`)}
	later.Headers = []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v2.Allocate")}}
	require.NoError(t, a.client.ProduceSync(t.Context(), later).FirstErr())
	a.produce("Allocate", `{"orderid":"wait-o2","sku":"WAIT","qty":2}`)
	await(t, 30*time.Second, func() bool { return a.count("held_commands") == 1 }, "it waits, and what comes behind it")

	r.workers[0].stop()
	r.start(0, older)
	a.exec("update held_keys set waits_until = now()")
	a.produce("Allocate", `{"orderid":"wait-o3","sku":"WAIT","qty":3}`)
	a.produce("CreateBatch", `{"ref":"other-b1","sku":"OTHER","qty":10}`)
	await(t, 30*time.Second, func() bool { return a.count("batches where ref = 'other-b1'") == 1 }, "others go on")
	require.Equal(t, 2, a.count("held_commands"))
	require.Equal(t, 1, a.count("dead_letters where reason = 'newer_version' and state = 'open'"))
	require.Contains(t, r.run(older, "show", "product", "WAIT"), "is held since")
	require.Contains(t, r.run(older, "dlq", "list"), "newer_version")

	r.workers[0].stop()
	r.start(0, newer, wait)
	await(t, 30*time.Second, func() bool { return a.count("held_keys") == 0 }, "its time is over")
	require.Equal(t, 1, a.count("dead_letters where reason = 'unknown_type'"))
	require.Equal(t, 2, a.count("lines where sku = 'WAIT' and state = 'allocated'"))
	t.Log(r.run(newer, "verify"))
}

// explains wants to be told of what workers of both versions did to an order: with the schema of
// before, and by the version before with the new schema.
func (r *rollout) explains() {
	r.arena.t.Helper()
	for order, qty := range map[string]int{"both-o1": 7, "both-o2": 2} {
		text := r.run(newer, "explain", "order", order)
		for _, event := range []string{"gets %d of batch both-b1\n", "gives %d back to batch both-b1: batch reduced\n", "waits for %d\n"} {
			require.Contains(r.arena.t, text, "order "+order+" "+fmt.Sprintf(event, qty))
		}
	}
	require.Contains(r.arena.t, r.run(newer, "explain", "batch", "both-b1"), "batch both-b1 has 0 now\n        it was 10 before\n")
	require.Contains(r.arena.t, r.run(newer, "explain", "product", "BOTH"), "batch both-b1 has 0 now\n")
}

// share tells how much of the work each version did, and wants both to have done some of it.
func (r *rollout) share() {
	r.arena.t.Helper()
	const sql = `
select coalesce(sum(moved), 0) from (
    select made_by, greatest(next_offset - lag(next_offset) over (partition by topic, partition order by id), 0) as moved from audit) a
where made_by like $1`
	before, now := r.sum(sql, older+"-%"), r.sum(sql, newer+"-%")
	require.Positive(r.arena.t, before)
	require.Positive(r.arena.t, now)
	r.arena.t.Logf("%d commands were applied by workers of the version before, %d by those of this one", before, now)
}

func (r *rollout) sum(sql string, args ...any) (n int) {
	r.arena.t.Helper()
	require.NoError(r.arena.t, r.arena.db.QueryRow(r.arena.t.Context(), sql, args...).Scan(&n))
	return n
}
