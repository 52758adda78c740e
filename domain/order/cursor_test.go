package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	. "allocation/domain/order"
)

// A fact that was parked comes after newer ones about other lines of the article, and counts.
func TestFacts_eachLineHasACursorOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.add("alice.1", "CHAIR")
	s.add("alice.1", "CHAIR")
	s.batch("b1", BatchCreated, true)
	fact := func(sequence int64, line string) string {
		return s.do("alice.1", LineFact{Kind: Allocated, Sequence: sequence, OrderID: "alice.1", SKU: "CHAIR", LineID: line, BatchRef: "b1"})
	}
	require.Empty(t, fact(9, "2"))
	require.Empty(t, fact(8, "1"))
	require.Equal(t, "OrderPlaced, OrderReady 1@b1:8 2@b1:9", s.place("alice.1"))
}
