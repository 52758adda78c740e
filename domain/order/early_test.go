package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "allocation/domain/order"
)

// A fact that comes before its line is applied when the line is there.
func TestEarly_isAppliedOnceItsLineIsThere(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	at, ofOne := s.now, LineFact{OrderID: "alice.1", SKU: "CHAIR", LineID: "1", BatchRef: "b1"}
	early := func(kind FactKind, sequence int64, batch string, asked bool) string {
		f := ofOne
		f.Kind, f.Sequence, f.BatchRef, f.Asked = kind, sequence, batch, asked
		return s.do("alice.1", f)
	}
	require.Equal(t, "ignored", early(Allocated, 5, "b1", false), "nobody here asked for it")
	require.Empty(t, early(Allocated, 5, "b1", true))
	require.Equal(t, "ignored", early(Allocated, 5, "b1", true), "it is kept already")
	require.Empty(t, early(Deallocated, 6, "b1", false), "what is done to a line that is asked for")
	require.Empty(t, early(Allocated, 7, "b2", false))
	s.batch("b2", BatchCreated, true)

	s.now = s.now.Add(-time.Minute)
	require.Equal(t, "CartLineAdded 1, > Allocate 1, > review alice.1", s.add("alice.1", "CHAIR"))
	require.Equal(t, "CartLineAdded 2, > Allocate 2, > review alice.1", s.add("alice.1", "LAMP"))
	require.Empty(t, s.do("alice.1", ReviewOrder{Of{"alice", "alice.1"}}))
	require.Equal(t, Reserved, s.orders["alice.1"].Lines[0].State)
	require.Equal(t, at, s.orders["alice.1"].Lines[0].Reserved)
	require.Equal(t, "CartLineRemoved 2 customer, > Deallocate 2", s.do("alice.1", RemoveFromCart{Of{"alice", "alice.1"}, "LAMP", "2"}))
	require.Equal(t, "OrderPlaced, OrderReady 1@b2:7", s.place("alice.1"))
	require.Equal(t, "ignored", early(Allocated, 7, "b2", true))
	require.Empty(t, s.early["alice.1"])
}

// Commands that were read again may all come before their facts, or behind them.
func TestEarly_takesBackWhatNobodyWantsAnyMore(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	require.Empty(t, s.do("alice.1", LineFact{Kind: Allocated, Sequence: 5, OrderID: "alice.1", SKU: "CHAIR", LineID: "1", BatchRef: "b1", Asked: true}))
	require.Equal(t, "CartLineAdded 1, > Allocate 1, > review alice.1", s.add("alice.1", "CHAIR"))
	require.Equal(t, "OrderCancelled customer, > Deallocate 1, > review alice.1", s.cancel("alice.1"))
	require.Equal(t, "> Deallocate 1", s.do("alice.1", ReviewOrder{Of{"alice", "alice.1"}}))

	require.Empty(t, s.do("alice.2", LineFact{Kind: AllocationRejected, OrderID: "alice.2", SKU: "CHAIR", LineID: "1", Reason: "unknown_sku", Asked: true}))
	s.add("alice.2", "CHAIR")
	s.place("alice.2")
	require.Equal(t, "CartLineRejected 1 unknown_sku, OrderCancelled empty", s.do("alice.2", ReviewOrder{Of{"alice", "alice.2"}}))

	// A line that comes too late for its order is not added any more.
	early := LineFact{Kind: Allocated, Sequence: 7, OrderID: "alice.3", SKU: "CHAIR", LineID: "2", BatchRef: "b1", Asked: true}
	s.add("alice.3", "CHAIR")
	require.Empty(t, s.do("alice.3", early))
	require.Equal(t, "OrderPlaced, > review alice.3", s.place("alice.3"))
	require.Equal(t, "refused order_placed", s.add("alice.3", "CHAIR"))
	require.Equal(t, "> Deallocate 2", s.do("alice.3", ReviewOrder{Of{"alice", "alice.3"}}))
	require.Empty(t, s.early["alice.3"])
	require.Equal(t, "> Deallocate 2", s.do("alice.3", early))
}
