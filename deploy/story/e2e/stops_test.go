package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/story"
	"allocation/deploy/testbed"
)

// window is a time of TestStops in which something was so.
type window struct {
	name     string
	stopped  string // the service that was, or catches up; empty: all went on
	from, to time.Time
}

// way is something that takes a time, and the services that it goes through.
type way struct {
	name  string
	needs []string
	took  map[string][]time.Duration // by window
}

// Each service is stopped for a time under load and started again. It catches up by itself; what
// needs it not goes on meanwhile, and it is printed how fast.
func TestStops(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("STORY_STOP"))
	if err != nil {
		t.Skip("make soak-stops runs it")
	}
	const rate = 150 // 1,000 orders a minute
	seed := number(t, "STORY_SEED", rand.Uint64())
	t.Logf("again with: STORY_SEED=%d STORY_STOP=%s", seed, length)
	s := startServices(t, 30*time.Second)
	c := newCrowd(seed, int(12*length.Seconds())*rate/9)
	s.open(c.skus)
	house := s.simulate(seed, c.skus, rate/10)
	load := startLoad(t, s.kafka.Brokers(), c, rate)
	h := &hit{s, rand.New(rand.NewPCG(seed, 3))}
	h.rest(5*time.Second, 6*time.Second) // all are warm
	windows := []window{s.while("alone", "", func() { h.rest(length, length+time.Second) })}
	h.rest(5*time.Second, 6*time.Second) // what began alone ends so
	for _, of := range s.of {
		windows = append(windows, s.while(of.name+" is stopped", of.name, func() {
			for _, w := range of.workers {
				require.NoError(t, w.End(t.Context(), syscall.SIGTERM))
			}
			h.rest(length, length+time.Second)
			for i := range of.workers {
				s.start(of, i)
			}
		}), s.while(of.name+" catches up", of.name, func() { s.caughtUp(of) }))
		h.rest(length/4, length/4+time.Second)
	}
	load.stop()
	require.NoError(t, house.End(t.Context(), syscall.SIGTERM))
	s.report(windows)
}

func (s *services) while(name, stopped string, do func()) window {
	w := window{name: name, stopped: stopped, from: time.Now()}
	do()
	w.to = time.Now()
	return w
}

// caughtUp waits until a service is as far behind as any is under load.
func (s *services) caughtUp(of *service) {
	admin := testbed.Admin(s.t, s.kafka.Brokers())
	last, moved := int64(-1), time.Now()
	for {
		lag, err := s.lag(admin, of)
		require.NoError(s.t, err)
		if lag < 200 {
			return
		}
		if lag != last {
			last, moved = lag, time.Now()
		}
		require.Less(s.t, time.Since(moved), patience, "%s does not catch up: %d records", of.name, lag)
		select {
		case <-s.t.Context().Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// lag is how many records a service has not applied.
func (s *services) lag(admin *kadm.Client, of *service) (lag int64, err error) {
	ends, err := admin.ListEndOffsets(s.t.Context())
	if err != nil {
		return 0, err
	}
	conn := testbed.Connect(s.t, s.postgres.URL())
	defer conn.Close(context.Background())
	rows, err := conn.Query(s.t.Context(), fmt.Sprintf(`select topic, partition, next_offset from %s.positions`, of.name))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var topic string
		var partition int32
		var next int64
		if err := rows.Scan(&topic, &partition, &next); err != nil {
			return 0, err
		}
		end, _ := ends.Lookup(topic, partition)
		lag += end.Offset - next
	}
	return lag, rows.Err()
}

// report waits until all is quiet, checks it, and prints how long everything took.
func (s *services) report(windows []window) {
	t := s.t
	s.quiet(t)
	violations, err := story.Check(t.Context(), s.where())
	require.NoError(t, err)
	require.Zero(t, len(violations), story.Report(violations))

	ways := s.measure(windows)
	click, hop := percentile(ways[0].took["alone"], 0.99), percentile(ways[2].took["alone"], 0.99)
	t.Logf("alone, p99: %s %s, %s %s: %.2f times as long", ways[0].name, click, ways[2].name, hop, click.Seconds()/hop.Seconds())
	for _, w := range windows {
		t.Logf("%s, %.0f s:", w.name, w.to.Sub(w.from).Seconds())
		for _, each := range ways {
			if slices.Contains(each.needs, w.stopped) {
				continue
			}
			p99, alone := percentile(each.took[w.name], 0.99), percentile(each.took["alone"], 0.99)
			t.Logf("    %-40s p50 %8s  p99 %8s  of %6d; %.2f times as long as alone", each.name,
				percentile(each.took[w.name], 0.5), p99, len(each.took[w.name]), p99.Seconds()/max(alone.Seconds(), 1e-9))
		}
	}
}

func percentile(took []time.Duration, part float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[int(part*float64(len(took)-1))].Round(time.Millisecond)
}

// measure reads all events. Each has the time of the record of its command; its own is when it was
// published.
func (s *services) measure(windows []window) []*way {
	order := &way{"customer's command to event of orders", []string{"orders"}, map[string][]time.Duration{}}
	reserve := &way{"click to reservation", []string{"orders", "allocation"}, map[string][]time.Duration{}}
	stock := &way{"command to event of stock", []string{"allocation"}, map[string][]time.Duration{}}
	house := &way{"task to event of the warehouse", []string{"warehouse"}, map[string][]time.Duration{}}
	clicks, reserved := map[string]time.Time{}, map[string]time.Time{}
	add := func(w *way, from, to time.Time) {
		if i := slices.IndexFunc(windows, func(in window) bool { return !from.Before(in.from) && from.Before(in.to) }); i >= 0 {
			w.took[windows[i].name] = append(w.took[windows[i].name], to.Sub(from))
		}
	}
	s.each([]string{topics.OrderEvents, topics.StockEvents, topics.WarehouseEvents}, func(r *kgo.Record) {
		e := readEvent(r)
		switch {
		case e.of.IsZero():
		case r.Topic == topics.OrderEvents && e.kind == "CartLineAdded":
			add(order, e.of, r.Timestamp)
			clicks[e.line] = e.of
		case r.Topic == topics.StockEvents:
			add(stock, e.of, r.Timestamp)
			if _, known := reserved[e.line]; e.kind == "Allocated" && !known {
				reserved[e.line] = r.Timestamp
			}
		case r.Topic == topics.WarehouseEvents && strings.HasPrefix(e.kind, "Shipment"):
			add(house, e.of, r.Timestamp)
		}
	})
	waits := s.waited()
	for line, at := range reserved {
		if from, known := clicks[line]; known && !waits[line] {
			add(reserve, from, at)
		}
	}
	return []*way{reserve, order, stock, house}
}
