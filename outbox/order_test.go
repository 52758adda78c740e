package outbox

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Many sources in two processes share few keys, while the broker refuses requests for good now and
// then, so that the client gives up on records with others behind them. Whatever happens, the first
// appearances of each key's events are in order, and none is missing.
func TestRelay_firstAppearancesStayInOrderWhateverFails(t *testing.T) {
	s := newStage(t)
	const sources, commits = 4, 700
	relays := [2]*Relay{s.relay(slowPromises), s.relay(slowPromises)}
	for id := range int32(sources) {
		s.open(relays[id%2], id+1, 0)
	}
	var refuse sync.Mutex
	dice := rand.New(rand.NewPCG(1, 2))
	fault := s.kafka.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: events, Err: kerr.PolicyViolation, Count: -1,
		When: func(kmsg.Request) bool {
			refuse.Lock()
			defer refuse.Unlock()
			return dice.IntN(4) == 0
		},
	})
	total := 0
	var apply sync.WaitGroup
	for id := range int32(sources) {
		apply.Go(func() {
			r, dice := relays[id%2], rand.New(rand.NewPCG(3, uint64(id)))
			for i := range commits {
				rows := numbered("BatchCreated", "K"+strconv.Itoa(dice.IntN(3)), i, 1+dice.IntN(5))
				if s.room(r) {
					r.Publish(id+1, s.table.commit(id+1, rows...))
				}
			}
		})
	}
	apply.Wait()
	s.flush(relays[0])
	s.flush(relays[1])
	require.Positive(t, fault.Hits())
	last := requireFirstInOrder(t, s.readAll(events))
	for id := range int32(sources) {
		total += int(s.table.next(id + 1))
	}
	sum := 0
	for _, n := range last {
		sum += int(n)
	}
	require.Equal(t, total, sum)
	for _, r := range relays {
		require.Equal(t, tally{}, s.used(r))
	}
}

// The same, while sources move from one process to the other with rows in flight.
func TestRelay_firstAppearancesStayInOrderWhenSourcesMove(t *testing.T) {
	s := newStage(t)
	relays := [2]*Relay{s.relay(), s.relay()}
	owner := map[int32]int{1: 0, 2: 0, 3: 1}
	for id, i := range owner {
		s.open(relays[i], id, 0)
	}
	dice := rand.New(rand.NewPCG(5, 6))
	s.kafka.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: events, Err: kerr.PolicyViolation, Count: 20,
		When: func(kmsg.Request) bool { return rand.IntN(6) == 0 },
	})
	total := 0
	for range 300 {
		for id := range owner {
			rows := numbered("BatchCreated", "K"+strconv.Itoa(dice.IntN(3)), total, 1+dice.IntN(20))
			total += len(rows)
			relays[owner[id]].Publish(id, s.table.commit(id, rows...))
		}
		if id := int32(1 + dice.IntN(30)); owner[id] == 0 && id <= 3 || id == 3 {
			published, _ := relays[owner[id]].Published(id)
			relays[owner[id]].Close(id)
			owner[id] = 1 - owner[id]
			s.open(relays[owner[id]], id, published)
		}
	}
	s.flush(relays[0])
	s.flush(relays[1])
	sum := 0
	for _, n := range requireFirstInOrder(t, s.readAll(events)) {
		sum += int(n)
	}
	require.Equal(t, total, sum)
}

// slowPromises makes the client call promises well after it is done with their records.
func slowPromises(o *Options) { o.Metrics.Publish = slow{} }

type slow struct{}

func (slow) Observe(float64) {
	for range 50 {
		runtime.Gosched()
	}
}

func (s *stage) room(r *Relay) bool { return s.budgets[r].Wait(s.ctx) == nil }
