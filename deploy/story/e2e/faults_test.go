package e2e

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/proxy"
)

// fault is something that goes wrong, and is mended.
type fault struct {
	name string
	do   func(*hit)
}

// hit is one time that it does.
type hit struct {
	*services
	*rand.Rand
}

// plan are so many faults, from a seed: all kinds in some order, and then again.
func plan(seed uint64, n int) (faults []fault, random *rand.Rand) {
	random = rand.New(rand.NewPCG(seed, 2))
	for len(faults) < n {
		deck := []fault{{"kafka-restart", (*hit).restartKafka}, {"postgres-restart", (*hit).restartPostgres}, {"postgres-cut", (*hit).cutPostgres}}
		for i, name := range []string{"stock", "orders", "warehouse"} {
			deck = append(deck,
				fault{"kill " + name, func(h *hit) { h.kill(h.of[i]) }},
				fault{"freeze " + name, func(h *hit) { h.freeze(h.of[i]) }},
				fault{"stop " + name, func(h *hit) { h.stop(h.of[i]) }})
		}
		random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		faults = append(faults, deck...)
	}
	return faults[:n], random
}

// rest waits for a while.
func (h *hit) rest(least, most time.Duration) {
	select {
	case <-h.t.Context().Done():
	case <-time.After(least + time.Duration(h.Int64N(int64(most-least)))):
	}
}

// kill kills a worker or both, some times.
func (h *hit) kill(of *service) {
	for range 1 + h.IntN(3) {
		for i := range of.workers {
			if h.IntN(3) > 0 {
				of.workers[i].Kill()
				h.start(of, i)
			}
		}
		h.rest(200*time.Millisecond, 1500*time.Millisecond)
	}
}

// freeze has a worker, or both, stand still for longer than the session lasts.
func (h *hit) freeze(of *service) {
	frozen := of.workers[h.IntN(2):]
	for _, w := range frozen {
		w.Signal(syscall.SIGSTOP)
	}
	h.rest(session+500*time.Millisecond, session+2*time.Second)
	for _, w := range frozen {
		w.Signal(syscall.SIGCONT)
	}
}

// stop stops a service in order, and starts it again.
func (h *hit) stop(of *service) {
	for _, w := range of.workers {
		w.Signal(syscall.SIGTERM)
	}
	for _, w := range of.workers {
		require.NoError(h.t, w.Wait(h.t.Context()))
	}
	h.rest(0, 3*time.Second)
	for i := range of.workers {
		h.start(of, i)
	}
}

func (h *hit) restartKafka() {
	if h.IntN(2) == 0 {
		h.kafka.Kill()
	} else {
		h.kafka.Stop()
	}
	h.rest(0, time.Second)
	h.kafka.Start()
}

func (h *hit) restartPostgres() {
	switch h.IntN(3) {
	case 0:
		h.postgres.Kill()
	case 1:
		h.postgres.Stop(testbed.Immediate)
	default:
		h.postgres.Stop(testbed.Fast)
	}
	h.rest(0, time.Second)
	h.postgres.Start()
}

// cutPostgres ends connections; or holds them for a while, and ends them then: so a commit happens,
// and nobody hears of it.
func (h *hit) cutPostgres() {
	for range 2 + h.IntN(4) {
		if h.IntN(2) == 0 {
			h.way.Hold(proxy.Down)
			h.rest(50*time.Millisecond, time.Second)
		}
		h.way.Cut()
		h.way.Release()
		h.rest(100*time.Millisecond, time.Second)
	}
}

// strike makes all faults, each when its part of the load was sent.
func (s *services) strike(t *testing.T, l *load, seed uint64, n int) (made map[string]int) {
	faults, random := plan(seed, n)
	h, made := &hit{s, random}, map[string]int{}
	for i, each := range faults {
		l.await(t, (float64(i)+0.5)/float64(n+1))
		began := time.Now()
		each.do(h)
		made[each.name]++
		t.Logf("%s: %.1f s, after %d of %d commands", each.name, time.Since(began).Seconds(), l.sent.Load(), l.total)
		s.running()
	}
	return made
}

// One seed gives the same faults, and each kind before any comes again.
func TestPlan_isRepeatedByItsSeed(t *testing.T) {
	t.Parallel()
	names := func(seed uint64) (names []string) {
		faults, _ := plan(seed, 12)
		for _, f := range faults {
			names = append(names, f.name)
		}
		return names
	}
	require.Equal(t, names(3), names(3))
	require.NotEqual(t, names(3), names(4))
	require.Len(t, names(3), 12)
	for i, name := range names(3) {
		require.NotContains(t, names(3)[:i], name, fmt.Sprint(i))
	}
}
