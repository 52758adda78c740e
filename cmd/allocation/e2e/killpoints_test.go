package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	partitions = 3
	products   = 8
)

// killPoints are where a worker dies, and after how many times that it came by.
var killPoints = []struct {
	point, count string
	before       string // a fault that another worker dies of first
	unpublished  bool   // it leaves committed rows that are not published, as far as the database knows
}{
	{point: "assigned", count: "1"},
	{point: "claim", count: "1"},
	{point: "drain", count: "1", before: "committed:2:kill", unpublished: true},
	{point: "poll", count: "40"},
	{point: "write", count: "3"},
	{point: "pipeline", count: "3"},
	{point: "commit", count: "3", unpublished: true},
	{point: "committed", count: "3", unpublished: true},
	{point: "produce", count: "3", unpublished: true},
	{point: "produced", count: "3", unpublished: true},
	{point: "acked", count: "2", unpublished: true},
	{point: "group-stale", count: "2"},
}

// TestWorker_killedAt: whatever a worker was doing when it was killed, the next one goes on, and
// everything took effect and was published once.
func TestWorker_killedAt(t *testing.T) {
	for _, k := range killPoints {
		t.Run(k.point, func(t *testing.T) {
			t.Parallel()
			a := setup(t, partitions)
			l := a.load(random(t), partitions, products)
			if k.before != "" {
				l.feed(a.start("before", k.before), 30)
			}
			first := a.start("first", k.point+":"+k.count+":kill")
			l.feed(first, 60)
			require.True(t, first.reached(k.point), "the worker died at the point %s", k.point)
			require.True(t, first.wasKilled())
			require.True(t, !k.unpublished || a.unpublished(), "committed rows are left to publish")
			second := a.start("second", "")
			l.send(40)
			a.check(30 * time.Second)
			second.stop()
			a.check(0)
		})
	}
}

// feed sends a first lot of commands, and then a few at a time, with a rest now and then, until the
// worker has died.
func (l *load) feed(p *process, first int) {
	l.arena.t.Helper()
	l.send(first)
	turn := 0
	await(l.arena.t, 40*time.Second, func() bool {
		if turn++; turn%40 < 10 {
			l.send(1 + rand.IntN(4))
		}
		return !p.Running()
	}, "%s dies", p.name)
}
