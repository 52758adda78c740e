package e2e

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// blockedAtMost is how long a frozen worker may keep its partitions' next owner from committing,
// beyond the session timeout.
const blockedAtMost = 5 * time.Second

// TestWorker_frozenAt: a worker is stopped until its partitions have moved, and then goes on,
// believing that they are its own.
func TestWorker_frozenAt(t *testing.T) {
	for _, z := range []struct {
		name, fault string
		second      bool // it joins a worker that has all partitions, and gets some of them
	}{
		{name: "pipeline", fault: "pipeline:3:stop"},
		{name: "committed", fault: "committed:3:stop"},
		{name: "assigned", fault: "assigned:1:stop", second: true},
	} {
		t.Run(z.name, func(t *testing.T) {
			t.Parallel()
			a := setup(t, partitions)
			f := &freeze{arena: a, load: a.load(random(t), partitions, products)}
			if z.second {
				f.other = a.start("other", "")
				f.load.send(30)
				await(t, 20*time.Second, a.done, "the first worker has applied everything")
			}
			f.locks, f.claiming = z.name == "pipeline", z.name == "assigned"
			f.run(z.name, z.fault)
		})
	}
}

// freeze is a worker's freezing, and what became of its partitions.
type freeze struct {
	arena      *arena
	load       *load
	zombie     *process
	other      *process
	partitions []topicPartition // the zombie's
	at         time.Time        // when it froze
	locks      bool             // it must hold locks

	claiming bool // it was about to claim
}

func (f *freeze) run(point, fault string) {
	a := f.arena
	a.t.Helper()
	known := a.assigned()
	f.zombie = a.start("zombie", fault)
	f.load.feedUntil(f.zombie.frozen, "the worker is frozen")
	f.at = time.Now()
	require.True(a.t, f.zombie.reached(point))
	await(a.t, 5*time.Second, func() bool { f.partitions = a.others(known); return len(f.partitions) > 0 }, "the frozen worker has partitions")
	require.Equal(a.t, f.locks, f.inTransaction(), "the frozen worker is in a transaction")
	if f.other == nil {
		f.other = a.start("other", "")
	}
	given := f.awaitTakeover()
	f.checkTakeover(given)
	f.thaw()
	a.check(30 * time.Second)
	a.checkFence()
	f.zombie.stop()
	f.other.stop()
	a.check(0)
}

// inTransaction reports whether the zombie has an open transaction, which waits for it and holds a
// position.
func (f *freeze) inTransaction() (open bool) {
	f.arena.t.Helper()
	require.NoError(f.arena.t, f.arena.db.QueryRow(f.arena.t.Context(), `
		select exists (select from pg_stat_activity s join pg_locks l on l.pid = s.pid and l.relation = 'positions'::regclass and l.mode = 'RowExclusiveLock'
		where s.application_name = 'zombie' and s.datname = current_database() and s.wait_event = 'ClientRead')`).Scan(&open))
	return open
}

// awaitTakeover waits until the other worker has committed for all of the zombie's partitions, and
// says when the group gave it each.
func (f *freeze) awaitTakeover() map[topicPartition]time.Time {
	a := f.arena
	given := map[topicPartition]time.Time{}
	zombie := a.assigned()
	for id, partitions := range zombie {
		if len(partitions) == 0 || !slices.Contains(f.partitions, partitions[0]) {
			delete(zombie, id)
		}
	}
	f.load.feedUntil(func() bool {
		for _, l := range a.others(zombie) {
			if _, ok := given[l]; !ok && slices.Contains(f.partitions, l) {
				given[l] = time.Now()
			}
		}
		return len(f.takeovers()) == len(f.partitions)
	}, "the other worker commits for every partition of the frozen one")
	return given
}

// takeovers are the other worker's first commits for the zombie's partitions since it froze.
func (f *freeze) takeovers() map[topicPartition]time.Time {
	first := map[topicPartition]time.Time{}
	for l, changes := range f.arena.changes() {
		last := change{}
		for _, c := range changes {
			if _, ok := first[l]; !ok && slices.Contains(f.partitions, l) && c.By == "other" && c.moved(last) && c.At.After(f.at) {
				first[l] = c.At
			}
			last = c
		}
	}
	return first
}

func (f *freeze) checkTakeover(given map[topicPartition]time.Time) {
	a := f.arena
	longest, fromFreeze := time.Duration(0), time.Duration(0)
	for l, commit := range f.takeovers() {
		if at, ok := given[l]; ok {
			longest = max(longest, commit.Sub(at))
		}
		fromFreeze = max(fromFreeze, commit.Sub(f.at))
	}
	a.t.Logf("%d partitions moved: the new owner's first commit came at most %s after the group gave it the partition, %s after the freeze",
		len(f.partitions), longest.Round(time.Millisecond), fromFreeze.Round(time.Millisecond))
	require.LessOrEqual(a.t, longest, blockedAtMost)
	require.LessOrEqual(a.t, fromFreeze, a.session+blockedAtMost)
}

// thaw continues the zombie. It must write nothing until it is a member again, with partitions that
// the group gave it since; but a claim that it was about to send is sent. That fences the rightful
// owner until its next heartbeat, and moves nothing.
func (f *freeze) thaw() {
	a := f.arena
	members := a.assigned()
	thawed := time.Now()
	f.zombie.Signal(syscall.SIGCONT)
	var member time.Time
	f.load.feedUntil(func() bool {
		if member.IsZero() && len(a.others(members)) > 0 {
			member = time.Now()
		}
		return !member.IsZero() && len(f.zombieChanges(thawed)) > 0
	}, "the zombie is a member again, and claims partitions")
	const seenLate = 500 * time.Millisecond // the group is asked only now and then
	first := slices.MinFunc(f.zombieChanges(thawed), func(x, y change) int { return x.At.Compare(y.At) })
	a.t.Logf("thawed, the zombie was a member again after %s, and wrote first after %s", member.Sub(thawed), first.At.Sub(thawed))
	require.Greater(a.t, first.At, member.Add(-seenLate), "the zombie wrote before it was a member again: %+v", first)
}

// zombieChanges are what the zombie wrote since, without a claim that it was about to send.
func (f *freeze) zombieChanges(since time.Time) (by []change) {
	for _, changes := range f.arena.changes() {
		last := change{}
		for _, c := range changes {
			if c.By == "zombie" && c.At.After(since) && (!f.claiming || c.moved(last)) {
				by = append(by, c)
			}
			last = c
		}
	}
	return by
}

// feedUntil sends commands by all partitions, a few at a time, with a rest now and then, until
// something is so.
func (l *load) feedUntil(so func() bool, what string) {
	l.arena.t.Helper()
	turn := 0
	await(l.arena.t, 40*time.Second, func() bool {
		if turn++; turn%40 < 10 {
			l.send(1 + rand.IntN(4))
			l.sendEverywhere()
		}
		return so()
	}, "%s", what)
}
