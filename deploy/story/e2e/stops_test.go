package e2e

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/deploy/story"
	"allocation/deploy/testbed"
)

// ordersAMinute is how many orders customers place under TestStops.
const ordersAMinute = 1000

// Each service is stopped for a time under load and started again. It catches up by itself; what
// needs it not goes on meanwhile, and not much slower.
func TestStops(t *testing.T) {
	text := os.Getenv("STORY_STOP")
	if text == "" {
		t.Skip("make soak-stops runs it")
	}
	length, err := time.ParseDuration(text)
	require.True(t, err == nil && length >= leastWindow, "STORY_STOP: %q; a time of at least %s, as 10m", text, leastWindow)
	goals := readGoals(t)
	seed := number(t, "STORY_SEED", rand.Uint64())
	t.Logf("again with: STORY_SEED=%d STORY_STOP=%s", seed, length)
	s := startServices(t, 30*time.Second, "CATCH_UP_TIME="+(length/2).String())
	p := paceOf(seed, ordersAMinute)
	customers := p.customers(8*length + 10*time.Minute) // so long they come; it takes about five times length
	c := newCrowd(seed, customers)
	goods := stock + int(10*p.lines*length.Seconds())/len(c.skus) // for a stop of the warehouse: a line wants about 3
	s.open(c.skus, goods)
	house := s.simulate(seed, c.skus, float64(p.commands)/4, goods)
	load := startLoad(t, s.kafka.Brokers(), c, p.commands)
	t.Logf("%d commands a second, with %.1f lines, of %d customers; %d of each of %d articles", p.commands, p.lines, customers, goods, len(c.skus))

	windows := s.stops(length)
	select {
	case <-load.done:
		t.Fatalf("%d customers sent all %d commands before the last window ended", customers, load.total)
	default:
	}
	load.stop()
	require.NoError(t, house.End(t.Context(), syscall.SIGTERM))
	s.quiet(t)
	violations, err := story.Check(t.Context(), s.where())
	require.NoError(t, err)
	require.Zero(t, len(violations), story.Report(violations))

	table, failures := judge(windows, s.measure(p), goals)
	t.Log("\n" + table)
	for _, failure := range failures {
		t.Error(failure)
	}
}

// stops stops one service after the other. Before and after each of them, for half as long, nothing
// is stopped: with that the time of the stop is compared.
func (s *services) stops(length time.Duration) (windows []window) {
	h, admin := &hit{s, rand.New(rand.NewPCG(0, 3))}, testbed.Admin(s.t, s.kafka.Brokers())
	goOn := func() {
		half := max(length/2, leastWindow)
		windows = append(windows, s.while(alone, "", func() { h.rest(half, half+time.Second) }))
	}
	h.rest(30*time.Second, 31*time.Second) // the first customers have gone, and all is warm
	goOn()
	for _, of := range s.of {
		windows = append(windows, s.while(stopped, of.name, func() {
			for _, w := range of.workers {
				require.NoError(s.t, w.End(s.t.Context(), syscall.SIGTERM))
			}
			h.rest(length, length+time.Second)
		}), s.while(catchesUp, of.name, func() {
			began := time.Now()
			behind := s.lag(admin, of)
			for i := range of.workers {
				s.start(of, i)
			}
			s.caughtUp(admin, of)
			took := time.Since(began)
			s.t.Logf("%s was %d records behind, and caught up in %.1f s", of.name, behind, took.Seconds())
			h.rest(max(0, leastWindow-took), max(0, leastWindow-took)+time.Second)
		}))
		for _, each := range s.of { // they may have got much from the one that caught up
			s.caughtUp(admin, each)
		}
		h.rest(5*time.Second, 6*time.Second)
		goOn()
		s.running()
	}
	return windows
}

// leastWindow is how long a window lasts at least. A service that has caught up in a second is no
// reason to have too few samples.
const leastWindow = 30 * time.Second

func (s *services) while(state, of string, do func()) window {
	w := window{state: state, of: of, from: time.Now()}
	do()
	w.to = time.Now()
	return w
}

// caughtUp waits until a service is as far behind as any is under load.
func (s *services) caughtUp(admin *kadm.Client, of *service) {
	s.t.Helper()
	least, moved := s.lag(admin, of), time.Now()
	for lag := least; lag >= 200; lag = s.lag(admin, of) {
		if lag < least {
			least, moved = lag, time.Now()
		}
		require.Less(s.t, time.Since(moved), patience, "%s does not catch up: it is %d records behind, and was %d", of.name, lag, least)
		select {
		case <-s.t.Context().Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// lag is how many records a service has not applied.
func (s *services) lag(admin *kadm.Client, of *service) (lag int64) {
	s.t.Helper()
	ends, err := admin.ListEndOffsets(s.t.Context())
	require.NoError(s.t, err)
	conn := testbed.Connect(s.t, s.postgres.URL())
	defer conn.Close(context.Background())
	rows, err := conn.Query(s.t.Context(), fmt.Sprintf(`select topic, partition, next_offset from %s.positions`, of.name))
	require.NoError(s.t, err)
	defer rows.Close()
	for rows.Next() {
		var topic string
		var partition int32
		var next int64
		require.NoError(s.t, rows.Scan(&topic, &partition, &next))
		end, _ := ends.Lookup(topic, partition)
		lag += end.Offset - next
	}
	require.NoError(s.t, rows.Err())
	return lag
}

// pace is how fast customers do what.
type pace struct {
	commands int     // in a second
	lines    float64 // that they put into carts, in a second
	orders   float64 // that they place, in a second
	each     float64 // commands of a customer
}

// paceOf is at which pace customers place so many orders a minute: many of them tell.
func paceOf(seed uint64, orders int) pace {
	const many = 5000
	commands, lines, placed := 0, 0, map[string]bool{}
	for n := range many {
		for _, each := range shop(seed, n+1, []string{"ANY"}) {
			switch each.kind {
			case "":
				continue
			case "AddToCart":
				lines++
			case "PlaceOrder":
				placed[each.id] = true // some come twice
			}
			commands++
		}
	}
	p := pace{orders: float64(orders) / 60, each: float64(commands) / many}
	p.lines = p.orders * float64(lines) / float64(len(placed))
	p.commands = int(math.Round(p.orders * float64(commands) / float64(len(placed))))
	return p
}

// customers is how many send commands for so long.
func (p pace) customers(time time.Duration) int {
	return int(time.Seconds() * float64(p.commands) / p.each)
}

// Customers of a crowd place as many orders as were wanted, once the first have gone.
func TestPace_isThatOfOrders(t *testing.T) {
	t.Parallel()
	p := paceOf(7, 1000)
	c := newCrowd(7, p.customers(20*time.Minute))
	placed, lines := map[string]bool{}, 0
	for sent := range 15 * 60 * p.commands {
		each, more := c.next()
		require.True(t, more, "customers come for 20 minutes")
		if sent < 5*60*p.commands {
			continue
		}
		if each.kind == "PlaceOrder" {
			placed[each.id] = true
		}
		if each.kind == "AddToCart" {
			lines++
		}
	}
	require.InEpsilon(t, 10*1000, len(placed), 0.03)
	require.InEpsilon(t, 600*p.lines, lines, 0.03)
}
