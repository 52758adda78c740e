package e2e

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/checker"
)

// herd is some workers, each in a place of its own.
type herd struct {
	arena   *arena
	random  *rand.Rand
	workers []*process
	started int
	kills   int
	stops   int
}

func (h *herd) start(i int) {
	h.started++
	h.workers[i] = h.arena.start(fmt.Sprintf("worker-%d", h.started), "")
}

// strike kills a worker, or now and then stops it in order, and starts another in its place.
func (h *herd) strike() {
	i := h.random.IntN(len(h.workers))
	if h.random.IntN(5) == 0 && h.workers[i].logged("claimed") {
		h.workers[i].stop()
		h.stops++
	} else {
		h.workers[i].Kill()
		h.kills++
	}
	h.start(i)
}

// TestWorker_randomKills: three workers, of which one or another is killed again and again while
// commands come.
func TestWorker_randomKills(t *testing.T) {
	t.Parallel()
	const partitions = 4
	commands, kills := number(t, "E2E_COMMANDS", "3000"), number(t, "E2E_KILLS", "6")
	a, r := setup(t, partitions), random(t)
	l := a.load(r, partitions, 20+commands/200)
	h := &herd{arena: a, random: r, workers: make([]*process, 3)}
	for i := range h.workers {
		h.start(i)
	}
	for h.kills < kills {
		l.send(commands / (kills + kills/4 + 1))
		rest(t, time.Duration(300+r.IntN(2500))*time.Millisecond)
		h.strike()
	}
	fault := time.Now()
	l.send(max(0, commands-l.total))
	a.awaitOwners(l, fault.Add(15*time.Second))
	history := a.check(time.Minute + time.Duration(commands)*10*time.Millisecond)
	a.checkFence()
	t.Logf("%d kills, %d stops", h.kills, h.stops)
	record(t, history)
	for _, w := range h.workers {
		w.stop()
	}
	a.check(0)
}

// awaitOwners wants every partition to advance before the deadline, with commands in each of them.
func (a *arena) awaitOwners(l *load, deadline time.Time) {
	a.t.Helper()
	before := a.positions()
	l.sendEverywhere()
	await(a.t, time.Until(deadline), func() bool {
		now := a.positions()
		for partition := range a.ends() {
			if now[partition].NextOffset <= before[partition].NextOffset {
				return false
			}
		}
		return true
	}, "every partition has an owner that advances")
}

// rest lets time pass: what comes next happens at any time.
func rest(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// record keeps a history for the checker's own tests.
func record(t testing.TB, h *checker.History) {
	t.Helper()
	path := os.Getenv("E2E_RECORD")
	if path == "" {
		return
	}
	file, err := os.Create(path)
	require.NoError(t, err)
	zipped := gzip.NewWriter(file)
	require.NoError(t, json.NewEncoder(zipped).Encode(h))
	require.NoError(t, zipped.Close())
	require.NoError(t, file.Close())
}
