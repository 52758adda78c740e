package bench

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/domain/product"
)

func TestWorkload_makesTheSameCommandsEachTime(t *testing.T) {
	t.Parallel()
	for _, name := range []string{uniform, zipf, hot, storm, mixed, waiting} {
		plan := plan{workload: name, products: 20, waiting: 15, lines: 30, history: 50}
		a, b := newWorkload(plan), newWorkload(plan)
		made := slices.Collect(plan.stock())
		require.Equal(t, made, slices.Collect(plan.stock()))
		for number := range 5000 {
			c := a(number)
			require.Equal(t, c, b(number))
			made = append(made, c)
		}
		orders := map[string]bool{}
		for _, c := range made {
			_, refusal := product.DecodeCommand(c.Type, []byte(c.Data))
			require.Nil(t, refusal, c.Data)
			require.False(t, c.Type == allocate && !c.Repeat && orders[c.Data], "each line is new")
			orders[c.Data] = true
		}
	}
}

func TestOrders_growingOnesGrow(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]int{{9, 10}, {4095, 4096}, {-9, -10}, {-10, 0}} {
		require.Less(t, growingOrders.id(pair[0]), growingOrders.id(pair[1]))
	}
	require.Greater(t, randomOrders.id(3), randomOrders.id(2), "not all random ones grow")
	require.Less(t, randomOrders.id(4), randomOrders.id(3))
}

func TestWorkload_zipfPrefersFewProducts(t *testing.T) {
	t.Parallel()
	shares := func(name string) int {
		w := newWorkload(plan{workload: name, products: 1000})
		first := 0
		for number := range 10_000 {
			if w(number).SKU == skuOf(0) {
				first++
			}
		}
		return first
	}
	require.Greater(t, shares(zipf), 1000)
	require.Less(t, shares(uniform), 50)
}

func TestWorkload_mixHasAllCommands(t *testing.T) {
	t.Parallel()
	w := newWorkload(plan{workload: mixed, products: 10})
	kinds := map[string]int{}
	repeats := 0
	var last message
	for number := range 20_000 {
		c := w(number)
		kinds[c.Type]++
		if c.Repeat {
			repeats++
			require.Equal(t, last.Data, c.Data)
		}
		last = c
	}
	require.Len(t, kinds, 6)
	require.InDelta(t, 1000, repeats, 200)
	require.Greater(t, kinds[changeQuantity], 500)
}

func TestWorkload_aBatchServesTheTenThatWaitedLongest(t *testing.T) {
	t.Parallel()
	w := newWorkload(plan{workload: waiting, waiting: 12})
	for number := range 10 {
		require.Equal(t, allocate, w(number).Type)
	}
	c := w(10)
	require.Equal(t, createBatch, c.Type)
	require.Equal(t, 11, c.Events)
	require.Contains(t, c.Data, `"qty":`+strconv.Itoa(1+2+3+4+5+6+7+8+9+10)+`}`)
	require.Equal(t, Lines{Allocated: 10, Waiting: -10}, c.Change)
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for i := range 1000 {
		times = append(times, time.Duration(1000-i)*time.Millisecond)
	}
	require.Equal(t, Latencies{1000, 500, 990, 999, 1000}, summarize(times))
	require.Equal(t, Latencies{1, 7, 7, 7, 7}, summarize([]time.Duration{7 * time.Millisecond}))
	require.Equal(t, Latencies{}, summarize(nil))
}

func eventOf(number int, sku string, sequence int64, at time.Time) *kgo.Record {
	return &kgo.Record{Key: []byte(sku), Timestamp: at, Headers: []kgo.RecordHeader{
		{Key: "ce_causationid", Value: fmt.Append(nil, idPrefix, number)}, {Key: "ce_sequence", Value: fmt.Appendf(nil, "%019d", sequence)},
	}}
}

func TestBook_countsWaitingAndLeavesOutRepeats(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.stock(message{SKU: "s", Events: 1})
	b.expect(message{Type: allocate, Events: 1}, 2*time.Second)
	b.expect(message{Type: createBatch, Events: 2}, 3*time.Second)
	b.expect(message{Type: createBatch, Repeat: true}, 4*time.Second)
	begin := time.Now()
	require.NoError(t, b.take(eventOf(0, "s", 2, begin), 2500*time.Millisecond))
	require.NoError(t, b.take(eventOf(1, "s", 3, begin.Add(time.Second)), 5*time.Second))
	require.NoError(t, b.take(eventOf(0, "s", 2, begin.Add(time.Hour)), 6*time.Second))
	require.ErrorContains(t, b.missing(), "1 of 3 events are missing; the first command without all of its events is the CreateBatch bench-1")
	require.False(t, b.complete())
	require.NoError(t, b.take(eventOf(1, "s", 4, begin.Add(3*time.Second)), 7*time.Second))
	require.True(t, b.complete())
	require.NoError(t, b.missing())
	require.Equal(t, 1, b.repeated)
	require.Equal(t, 3*time.Second, b.last.Sub(b.first))
	require.Equal(t, 5*time.Second, b.entries[1].first)

	latencies := b.latencies(warmUp, time.Minute, func(entry) bool { return true })
	require.Equal(t, Latencies{1, 500, 500, 500, 500}, latencies[allocate])
	require.Equal(t, Latencies{1, 4000, 4000, 4000, 4000}, latencies[createBatch])
	require.Equal(t, 2, latencies[all].Commands)
	require.Equal(t, 1, b.latencies(2500*time.Millisecond, time.Minute, func(entry) bool { return true })[all].Commands)
}

// Partition 1 goes on beside the storm, 2 waits for it, and of 3 nothing was due in time to tell.
func TestBook_tellsWhoWaitsForAStorm(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.entries = []entry{
		{partition: 2, due: 10, first: 100, took: 200},
		{partition: 1, due: 20, first: 23, took: 3},
		{partition: 1, due: 30, first: 33, took: 3},
		{partition: 1, due: 99, first: 102, took: 3},
		{partition: 2, due: 40, first: 101, took: 61},
		{partition: 3, due: 9, first: 12, took: 3},
		{partition: 3, due: 120, first: 123, took: 3},
	}
	require.Equal(t, map[int32]bool{1: true, 2: false}, b.beside(0))
}

func TestBook_findsWhatCannotBe(t *testing.T) {
	t.Parallel()
	for says, event := range map[string]*kgo.Record{
		"no command of this bench":          eventOf(7, "s", 2, time.Time{}),
		"the event 3 comes after the event": eventOf(0, "s", 3, time.Time{}),
		"was rejected":                      eventOf(0, "s", 0, time.Time{}),
		"more than the 0 events":            eventOf(1, "s", 2, time.Time{}),
		"the event 2 comes after the event": eventOf(-1, "s", 2, time.Time{}),
	} {
		b := newBook()
		b.stock(message{SKU: "s", Events: 1})
		b.expect(message{Events: 1}, 0)
		b.expect(message{}, 0)
		require.ErrorContains(t, b.take(event, 0), says)
	}
}
