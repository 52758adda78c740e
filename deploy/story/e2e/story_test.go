package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/local/child"
	"allocation/deploy/story"
	"allocation/deploy/testbed"
)

// number is a setting.
func number(t *testing.T, name string, usual uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n
}

// Customers shop, the warehouse sends what it has, and everything fails now and then. In the end
// all three tell one story.
func TestStory(t *testing.T) {
	t.Parallel()
	seed := number(t, "STORY_SEED", rand.Uint64())
	shoppers, faults, rate := int(number(t, "STORY_SHOPPERS", 500)), int(number(t, "STORY_FAULTS", 5)), int(number(t, "STORY_RATE", 400))
	t.Logf("again with: STORY_SEED=%d STORY_SHOPPERS=%d STORY_FAULTS=%d STORY_RATE=%d", seed, shoppers, faults, rate)
	began := time.Now()
	s := startServices(t, 3*time.Second)
	c := newCrowd(seed, shoppers)
	s.open(c.skus, stock)
	house := s.simulate(seed, c.skus, float64(rate)/10, stock)
	t.Logf("open after %.0f s", time.Since(began).Seconds())
	began = time.Now()
	l := startLoad(t, s.kafka.Brokers(), c, rate)
	s.strike(t, l, seed, faults)
	l.await(t, 1)
	loaded := time.Now()
	require.NoError(t, house.End(t.Context(), syscall.SIGTERM))
	s.quiet(t)
	t.Logf("%d commands of %d customers in %.0f s, quiet after %.0f s more", l.total, shoppers, loaded.Sub(began).Seconds(), time.Since(loaded).Seconds())

	checked := time.Now()
	violations, err := story.Check(t.Context(), s.where())
	require.NoError(t, err)
	s.tell(t)
	t.Logf("checked in %.1f s", time.Since(checked).Seconds())
	require.Zero(t, len(violations), story.Report(violations))
}

// where is where the checker finds everything.
func (s *services) where() story.Run {
	return story.Run{Brokers: strings.Split(s.kafka.Brokers(), ","), Database: s.postgres.URL(), Topics: topics, CartTime: s.cartTime}
}

// stock is how much of an article is there at first in TestStory, and how much the simulator wants
// to be free.
const stock = 250

// open has so much of each article there.
func (s *services) open(skus []string, stock int) {
	client := testbed.Client(s.t, s.kafka.Brokers())
	for _, sku := range skus {
		r := &kgo.Record{Topic: topics.Tasks, Key: []byte(sku), Value: fmt.Appendf(nil, `{"sku":%q,"shipment":1,"qty":%d}`, sku, stock), Headers: []kgo.RecordHeader{
			{Key: "ce_type", Value: []byte("warehouse.v1.AnnounceShipment")}, {Key: "ce_id", Value: []byte("opened-" + sku)},
		}}
		client.Produce(s.t.Context(), r, nil)
	}
	require.NoError(s.t, client.Flush(s.t.Context()))
	conn := testbed.Connect(s.t, s.postgres.URL())
	testbed.Eventually(s.t, func() bool {
		n := 0
		return conn.QueryRow(s.t.Context(), `select count(*) from allocation.products`).Scan(&n) == nil && n == len(skus)
	}, "stock has all articles")
}

// simulate plays the people of the warehouse until it is ended.
func (s *services) simulate(seed uint64, skus []string, rate float64, stock int) *child.Process {
	of := s.of[2]
	cmd := exec.Command(of.program, "simulate", "--seed", fmt.Sprint(seed), "--skus", strings.Join(skus, ","), "--rate", fmt.Sprint(rate), "--stock", strconv.Itoa(stock))
	cmd.Env, cmd.Stderr = of.environment, &strings.Builder{}
	house, err := child.Start(cmd, syscall.SIGKILL)
	require.NoError(s.t, err)
	s.t.Cleanup(house.Kill)
	return house
}

// tell says what came of it, and requires that each kind of end was among that.
func (s *services) tell(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.postgres.URL())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	count := func(what, sql string) int {
		n := 0
		require.NoError(t, conn.QueryRow(t.Context(), `select count(*) from `+sql).Scan(&n))
		t.Logf("%7d %s", n, what)
		return n
	}
	for _, phase := range []string{"cart", "placed", "ready", "dispatched", "cancelled", "expired"} {
		n := count("orders are "+phase, `orders.orders where phase = '`+phase+`'`)
		if phase == "dispatched" || phase == "cancelled" || phase == "expired" {
			require.Positive(t, n, phase)
		}
	}
	require.Positive(t, count("VIPs", `orders.customers where placed >= 3`))
	require.Positive(t, count("lines were rejected", `orders.order_lines where state = 'rejected'`))
	count("batches", `allocation.batches`)
	count("events of orders", `orders.outbox where type not in ('', 'Allocate', 'Deallocate', 'ReviewOrder', 'ReviewBatch', 'ExpireCart')`)
	count("events of stock", `allocation.outbox where type <> ''`)
	count("dead letters of orders", `orders.dead_letters`)
	count("dead letters of stock", `allocation.dead_letters`)
	count("dead letters of the warehouse", `warehouse.dead_letters`)
}
