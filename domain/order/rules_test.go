package order_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "allocation/domain/order"
)

const cartTime = 30 * time.Minute

// shop keeps the state of one customer, and says in short what each message came to.
type shop struct {
	t        *testing.T
	now      time.Time
	customer Customer
	orders   map[string]*Order
	batches  map[string]*Batch
	early    map[string][]EarlyFact
	sequence int64
}

func newShop(t *testing.T) *shop {
	return &shop{t: t, now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), customer: Customer{ID: "alice"}, orders: map[string]*Order{}, batches: map[string]*Batch{}, early: map[string][]EarlyFact{}}
}

// do decides a message about an order, "" where it is about a batch.
func (s *shop) do(order string, m Message) string { return short(s.decide(order, m)) }

func (s *shop) decide(order string, m Message) Decision {
	state := &State{Customer: &s.customer, Order: s.orders[order], Batches: s.batches, Early: s.early[order]}
	d := Decide(m, state, s.now, Settings{CartTime: cartTime})
	if state.Order != nil {
		s.orders[order] = state.Order
	}
	s.early[order] = state.Early
	return d
}

func short(d Decision) string {
	var parts []string
	if d.Refusal != nil {
		parts = append(parts, "refused "+string(d.Refusal.Reason))
	}
	if d.Ignored {
		parts = append(parts, "ignored")
	}
	for _, e := range d.Events {
		words := []string{string(e.Type), e.LineID, e.Reason}
		for _, l := range e.Lines {
			words = append(words, fmt.Sprintf("%s@%s:%d", l.LineID, l.BatchRef, l.Fact))
		}
		parts = append(parts, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
	}
	for _, c := range d.Stock {
		parts = append(parts, fmt.Sprintf("> %s %s", c.Name, c.LineID))
	}
	for _, o := range d.Orders {
		parts = append(parts, "> review "+o)
	}
	if d.Review != nil {
		parts = append(parts, strings.TrimSpace("> review "+d.Review.BatchRef+" "+d.Review.After))
	}
	return strings.Join(parts, ", ")
}

func (s *shop) add(cart, sku string) string { return s.do(cart, AddToCart{Of{"alice", cart}, sku, 1}) }
func (s *shop) place(cart string) string    { return s.do(cart, PlaceOrder{Of{"alice", cart}}) }
func (s *shop) cancel(order string) string  { return s.do(order, CancelOrder{Of{"alice", order}}) }

// fact is a new fact about a line of CHAIR.
func (s *shop) fact(order, line string, kind FactKind, batch string) string {
	s.sequence++
	return s.do(order, LineFact{Kind: kind, Sequence: s.sequence, OrderID: order, SKU: "CHAIR", LineID: line, BatchRef: batch})
}

func (s *shop) batch(ref string, kind FactKind, arrived bool) string {
	s.sequence++
	return s.do("", BatchFact{Kind: kind, Sequence: s.sequence, Ref: ref, SKU: "CHAIR", Arrived: arrived})
}

func TestCart_eachArticleIsALine(t *testing.T) {
	s := newShop(t)
	require.Equal(t, "CartLineAdded 1, > Allocate 1", s.add("alice.1", "CHAIR"))
	require.Equal(t, "CartLineAdded 2, > Allocate 2", s.add("alice.1", "CHAIR"))
	require.Equal(t, "CartLineRemoved 1 customer, > Deallocate 1", s.do("alice.1", RemoveFromCart{Of{"alice", "alice.1"}, "CHAIR", "1"}))
	require.Empty(t, s.do("alice.1", RemoveFromCart{Of{"alice", "alice.1"}, "CHAIR", "1"}))
	require.Equal(t, "refused unknown_line", s.do("alice.1", RemoveFromCart{Of{"alice", "alice.1"}, "CHAIR", "9"}))
	require.Equal(t, "CartLineAdded 3, > Allocate 3", s.add("alice.1", "CHAIR"))
	require.Equal(t, "OrderPlaced", s.place("alice.1"))
	require.Empty(t, s.place("alice.1"))
	require.Equal(t, "refused order_placed", s.add("alice.1", "CHAIR"))
	require.Equal(t, "refused order_placed", s.do("alice.1", RemoveFromCart{Of{"alice", "alice.1"}, "CHAIR", "2"}))
	require.Equal(t, "refused unknown_cart", s.place("alice.2"))
	for i := range MaxLines {
		require.Equal(t, fmt.Sprintf("CartLineAdded %d, > Allocate %[1]d", i+1), s.add("alice.2", "CHAIR"))
	}
	require.Equal(t, "refused cart_full", s.add("alice.2", "CHAIR"))
}

// What was done is not done again, nor refused, whatever became of the order since.
func TestRepeats_haveNoEffectInAnyLaterState(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.batch("b1", BatchCreated, true)
	id, n := "", 0
	remove := func() string { return s.do(id, RemoveFromCart{Of{"alice", id}, "CHAIR", "1"}) }
	placed := func() { s.place(id) }
	ready := func() { s.place(id); s.fact(id, "2", Allocated, "b1") }
	for later, become := range map[Phase]func(){
		Cart:       func() {},
		Placed:     placed,
		Ready:      ready,
		Dispatched: func() { ready(); s.fact(id, "2", LineDispatched, "b1") },
		Cancelled:  func() { placed(); s.cancel(id) },
		Expired:    func() { s.now = s.now.Add(cartTime); s.do(id, ExpireCart{Of{"alice", id}}) },
	} {
		n++
		id = fmt.Sprintf("alice.%d", n)
		s.add(id, "CHAIR")
		s.add(id, "CHAIR")
		require.NotEmpty(t, remove())
		become()
		require.Equal(t, later, s.orders[id].Phase)
		require.Empty(t, remove(), later)
		if !s.orders[id].Placed.IsZero() {
			require.Empty(t, s.place(id), later)
		}
		if later == Cancelled {
			require.Empty(t, s.cancel(id))
		}
		require.Empty(t, s.do(id, ExpireCart{Of{"alice", id}}), later)
	}
}

func TestExpiry_countsFromTheFirstBatch(t *testing.T) {
	s := newShop(t)
	expire := func() string { return s.do("alice.1", ExpireCart{Of{"alice", "alice.1"}}) }
	s.add("alice.1", "CHAIR")
	s.add("alice.1", "CHAIR")
	s.now = s.now.Add(cartTime / 2)
	s.fact("alice.1", "1", Allocated, "b1")
	s.fact("alice.1", "2", OutOfStock, "")
	s.now = s.now.Add(cartTime / 2)
	require.Empty(t, expire(), "the line that waits does not expire by itself")
	s.fact("alice.1", "1", Allocated, "b2") // it moved: its time goes on
	s.now = s.now.Add(cartTime/2 - 1)
	require.Empty(t, expire())
	s.now = s.now.Add(1)
	require.Equal(t, "CartLineRemoved 1 expired, CartLineRemoved 2 expired, CartExpired, > Deallocate 1, > Deallocate 2", expire())
	require.Empty(t, expire())
	require.Equal(t, "refused order_ended", s.add("alice.1", "CHAIR"))
	require.Equal(t, "refused order_ended", s.place("alice.1"))

	s.add("alice.2", "CHAIR")
	s.fact("alice.2", "1", Allocated, "b1")
	s.add("alice.2", "CHAIR")
	s.now = s.now.Add(cartTime - 1)
	s.add("alice.2", "CHAIR")
	s.now = s.now.Add(1)
	require.Equal(t, "CartLineRemoved 1 expired, > Deallocate 1", s.do("alice.2", ExpireCart{Of{"alice", "alice.2"}}), "the cart lives while one of its lines does")
	s.place("alice.2")
	s.now = s.now.Add(10 * cartTime)
	require.Empty(t, s.do("alice.2", ExpireCart{Of{"alice", "alice.2"}}), "placing ends expiry")
}

func TestVIP_exactlyWithTheThirdPlacedOrder(t *testing.T) {
	s := newShop(t)
	for i, want := range []string{"OrderPlaced", "OrderPlaced", "OrderPlaced, CustomerBecameVIP", "OrderPlaced"} {
		require.False(t, i < 3 && s.customer.VIP())
		cart := fmt.Sprint("alice.", i)
		s.add(cart, "CHAIR")
		require.Equal(t, want, s.place(cart))
		require.Empty(t, s.place(cart))
		s.cancel(cart) // it counts
	}
	require.True(t, s.customer.VIP())
}

func TestShipping_onceAllBatchesArrived(t *testing.T) {
	s := newShop(t)
	s.batch("b1", BatchCreated, true)
	s.batch("b2", BatchCreated, false)
	s.add("alice.1", "CHAIR")
	s.add("alice.1", "CHAIR")
	s.fact("alice.1", "1", Allocated, "b1")
	s.place("alice.1")
	require.Empty(t, s.fact("alice.1", "2", Allocated, "b2"))
	require.Equal(t, "> review b2", s.batch("b2", BatchEtaChanged, true))
	review := func() string { return s.do("alice.1", ReviewOrder{Of{"alice", "alice.1"}}) }
	require.Equal(t, "OrderReady 1@b1:3 2@b2:4", review())
	require.Equal(t, "OrderReady 1@b1:3 2@b2:4", review(), "a batch may have gone meanwhile, and come again")
	require.Empty(t, s.fact("alice.1", "2", Deallocated, "b2"))
	require.Equal(t, "OrderReady 1@b1:3 2@b1:7", s.fact("alice.1", "2", Allocated, "b1"), "what moved is announced again")
	require.Empty(t, s.fact("alice.1", "1", LineDispatched, "b1"))
	require.Equal(t, "refused on_its_way", s.cancel("alice.1"))
	require.Equal(t, "OrderDispatched", s.fact("alice.1", "2", LineDispatched, "b1"))
	require.Equal(t, "refused order_ended", s.add("alice.1", "CHAIR"))

	s.add("alice.2", "CHAIR")
	s.place("alice.2")
	require.Equal(t, "OrderReady 1@b2:10", s.fact("alice.2", "1", Allocated, "b2"))
	s.batch("b2", BatchEtaChanged, false)
	require.Empty(t, s.do("alice.2", ReviewOrder{Of{"alice", "alice.2"}}))
	s.batch("b2", BatchEtaChanged, true)
	require.Equal(t, "OrderReady 1@b2:10", s.do("alice.2", ReviewOrder{Of{"alice", "alice.2"}}))
}

func TestCancelling_takesBackWhatStockGivesLater(t *testing.T) {
	s := newShop(t)
	s.add("alice.1", "CHAIR")
	s.place("alice.1")
	require.Equal(t, "OrderCancelled customer, > Deallocate 1", s.cancel("alice.1"))
	require.Empty(t, s.cancel("alice.1"))
	require.Equal(t, "> Deallocate 1", s.fact("alice.1", "1", OutOfStock, ""), "it would be served later")
	require.Equal(t, "> Deallocate 1", s.fact("alice.1", "1", Allocated, "b1"))
	require.Empty(t, s.fact("alice.1", "1", Deallocated, "b1"))
}

func TestRejected_leavesTheOrder(t *testing.T) {
	s := newShop(t)
	s.add("alice.1", "CHAIR")
	s.add("alice.1", "CHAIR")
	s.place("alice.1")
	reject := func(line string) string {
		return s.do("alice.1", LineFact{Kind: AllocationRejected, OrderID: "alice.1", SKU: "CHAIR", LineID: line, Reason: "unknown_sku"})
	}
	require.Equal(t, "CartLineRejected 1 unknown_sku", reject("1"))
	require.Equal(t, "ignored", reject("1"))
	require.Equal(t, "CartLineRejected 2 unknown_sku, OrderCancelled empty", reject("2"))
	require.EqualValues(t, 1, s.customer.Placed, "it counts")
	require.Equal(t, "> Deallocate 1", s.fact("alice.1", "1", Allocated, "b1"), "stock took what it had refused before")
}

// Who cancels a line at stock takes it from its order.
func TestDeallocated_bySomebodyElse(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.add("alice.1", "CHAIR")
	s.place("alice.1")
	s.fact("alice.1", "1", Allocated, "b1")
	s.sequence++
	require.Equal(t, "CartLineRejected 1 cancelled, OrderCancelled empty",
		s.do("alice.1", LineFact{Kind: Deallocated, Sequence: s.sequence, OrderID: "alice.1", SKU: "CHAIR", LineID: "1", BatchRef: "b1", Reason: "cancelled"}))
}

// The warehouse may be early.
func TestPlacing_whatHasLeft(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.add("alice.1", "CHAIR")
	s.fact("alice.1", "1", Allocated, "b1")
	require.Empty(t, s.fact("alice.1", "1", LineDispatched, "b1"))
	require.Equal(t, "OrderPlaced, OrderDispatched", s.place("alice.1"))
	require.Equal(t, s.now, s.orders["alice.1"].Placed)
}

func TestFacts_onlyNewOnesOfOurs(t *testing.T) {
	s := newShop(t)
	s.add("alice.1", "CHAIR")
	s.sequence = 10
	require.Empty(t, s.fact("alice.1", "1", Allocated, "b2"))
	require.Equal(t, "ignored", s.do("alice.1", LineFact{Kind: Allocated, Sequence: 11, OrderID: "alice.1", SKU: "CHAIR", LineID: "1", BatchRef: "b1"}))
	require.Equal(t, "ignored", s.do("alice.1", LineFact{Kind: OutOfStock, Sequence: 5, OrderID: "alice.1", SKU: "CHAIR", LineID: "1"}))
	require.Equal(t, "b2", s.orders["alice.1"].Lines[0].Batch)
	require.Equal(t, "ignored", s.fact("alice.9", "1", Allocated, "b2"))
	require.Equal(t, "ignored", s.fact("alice.1", "2", Allocated, "b2"))
	s.batch("b1", BatchCreated, true)
	require.Equal(t, "ignored", s.do("", BatchFact{Kind: BatchEtaChanged, Sequence: 3, Ref: "b1", SKU: "CHAIR"}))
	require.Equal(t, "alice", CustomerOf("alice.1.x"))
	require.Empty(t, CustomerOf("o1"))
	require.Empty(t, CustomerOf("alice."))
}

// However many orders a batch has, they are looked at again by pages.
func TestReviewBatch_goesThroughItsOrdersByPages(t *testing.T) {
	t.Parallel()
	review := func(n int) string {
		page := []string{}
		for i := range n {
			page = append(page, fmt.Sprintf("alice.%03d", i))
		}
		d := Decide(ReviewBatch{BatchRef: "b1", After: "alice"}, &State{OnBatch: page}, time.Time{}, Settings{})
		require.Len(t, d.Orders, n)
		d.Orders = nil
		return short(d)
	}
	require.Empty(t, review(0))
	require.Empty(t, review(ReviewPage-1))
	require.Equal(t, "> review b1 alice.099", review(ReviewPage))
}

// A time may be one that nothing could keep.
func TestTimes_outsideOfThoseThatCount(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	day := s.now
	s.add("alice.1", "CHAIR")
	for at, says := range map[time.Time]string{
		{}:                            "missing, or before 1970",
		FirstTime.Add(-1):             "946684799999 ms, which is 1999-12-31",
		EndOfTime:                     "4102444800000 ms, which is 2100-01-01",
		time.UnixMilli(math.MaxInt64): "9223372036854775807 ms, which is ",
	} {
		s.now = at
		for _, m := range []Message{AddToCart{Of{"alice", "alice.1"}, "CHAIR", 1}, PlaceOrder{Of{"alice", "alice.1"}}, ExpireCart{Of{"alice", "alice.1"}}} {
			d := s.decide("alice.1", m)
			require.Equal(t, "refused malformed", short(d))
			require.Contains(t, d.Refusal.Message, "the record's timestamp is "+says)
			require.Contains(t, d.Refusal.Message, "; it must be from 2000-01-01 on and before 2100-01-01")
		}
		s.add("alice.2", "CHAIR")
		require.Nil(t, s.orders["alice.2"])
		s.orders["alice.1"].Lines[0].Reserved = time.Time{}
		s.fact("alice.1", "1", Allocated, "b1")
		require.Equal(t, day, s.orders["alice.1"].Lines[0].Reserved, "a fact counts")
	}
	s.now = FirstTime
	require.Equal(t, "CartLineAdded 2, > Allocate 2", s.add("alice.1", "CHAIR"))
	s.now = EndOfTime.Add(-1)
	require.Equal(t, "OrderPlaced", s.place("alice.1"))
}

// Who expires carts looks at this time only.
func TestCart_countsFromItsFirstBatch(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	from := func() time.Duration { return s.orders["alice.1"].CountsFrom().Sub(s.now) }
	s.add("alice.1", "CHAIR")
	s.now = s.now.Add(time.Minute)
	s.add("alice.1", "CHAIR")
	require.Zero(t, from(), "it goes when the last line is over")
	s.now = s.now.Add(time.Minute)
	s.fact("alice.1", "2", Allocated, "b1")
	require.Zero(t, from(), "the first batch of a line")
	s.now = s.now.Add(time.Minute)
	s.fact("alice.1", "1", Allocated, "b1")
	s.fact("alice.1", "2", Allocated, "b2")
	require.Equal(t, -time.Minute, from(), "not that of a later line, nor of a later batch")
	s.place("alice.1")
	require.Zero(t, s.orders["alice.1"].CountsFrom())
}
