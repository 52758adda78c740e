package story

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestCheck_aGoodTale(t *testing.T) {
	t.Parallel()
	require.Empty(t, goodTale(t).check())
}

// Records may come twice, at once or later.
func TestCheck_repeatsAreAllowed(t *testing.T) {
	t.Parallel()
	s := goodTale(t)
	s.records = append(s.records, s.again(topics.OrderEvents, topics.StockEvents, topics.WarehouseEvents, topics.StockCommands, topics.Tasks, topics.OrderLetters, topics.StockLetters)...)
	s.keep()
	require.Empty(t, s.check())
}

// again are the records of topics once more, with new offsets.
func (s *tale) again(names ...string) (again []*kgo.Record) {
	for _, r := range s.records {
		if slices.Contains(names, r.Topic) {
			copied := *r
			copied.Offset = s.offsets[r.Topic]
			s.offsets[r.Topic]++
			again = append(again, &copied)
		}
	}
	return again
}

// A line that has left is in no OrderReady any more.
func TestCheck_readyWithoutWhatLeft(t *testing.T) {
	t.Parallel()
	s := goodTale(t)
	s.twoLines("CHAIR.1")
	s.order("allocation-events.0.9", 2, "OrderReady", "alice.5", s.readyLines("1", "CHAIR.1", "2", "CHAIR.1"))
	s.take(s.ask("Dispatch", "alice.5", "1", ""), "Dispatched", "alice.5", "1", 1, "CHAIR.1", "")
	s.order("allocation-events.0.9", 3, "OrderReady", "alice.5", s.readyLines("2", "CHAIR.1"))
	for _, v := range s.check() {
		require.NotEqual(t, RuleReady, v.Rule, v)
	}
}

// What orders had not heard of when a cart expired did not count.
func TestCheck_expiredBeforeItsBatchWasHeardOf(t *testing.T) {
	t.Parallel()
	s := goodTale(t)
	s.at("Allocated", "bob.1", s.now)
	require.Empty(t, s.check())
}

// A line may expire alone, at the very time.
func TestCheck_expiredAtTheTime(t *testing.T) {
	t.Parallel()
	s := goodTale(t)
	s.twoLinesOfWhichOneExpires(0)
	for _, v := range s.check() {
		require.NotEqual(t, RuleExpired, v.Rule, v)
	}
}

// at gives a record another time, unless that is none, and tells which it had.
func (s *tale) at(kind, text string, now time.Time) (before time.Time) {
	r := s.records[s.find(kind, text)]
	before = r.Timestamp
	if !now.IsZero() {
		r.Timestamp = now
	}
	return before
}

// What is due arrives, though it is announced and received again. What was lost is found, a report
// says more than there is, another one comes again, and one changes nothing.
func TestCheck_tasksThatAreMeant(t *testing.T) {
	t.Parallel()
	s := goodTale(t)
	s.task("AnnounceShipment", `"shipment":1,"qty":10`)
	for _, shipment := range []int{1, 2, 2} {
		s.task("ReceiveShipment", fmt.Sprintf(`"shipment":%d`, shipment))
	}
	s.house("ShipmentArrived", `"batchref":"CHAIR.2","qty":5`)
	s.task("CountBatch", `"shipment":1,"report":"r2","qty":9`)
	s.house("GoodsFound", `"batchref":"CHAIR.1","qty":1`)
	s.task("CountBatch", `"shipment":1,"report":"r3","qty":8`)
	s.task("ReportDamage", `"shipment":1,"report":"r4","qty":20`)
	s.house("GoodsLost", `"batchref":"CHAIR.1","qty":8,"reason":"damaged"`)
	s.task("ReportDamage", `"shipment":1,"report":"r4","qty":20`)
	for _, v := range s.check() {
		require.NotEqual(t, RuleTask, v.Rule, v)
	}
}
