package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// floor is a book with two batches of CHAIR in the warehouse, and a line of three chairs.
type floor struct{ *book }

func newFloor(t *testing.T) floor {
	b := &book{T: t}
	for n := range int64(2) {
		b.task("AnnounceShipment", fmt.Sprintf(`{"sku":"CHAIR","shipment":%d,"qty":9}`, n+1))
		b.fact(n+1, "BatchCreated", fmt.Sprintf(`{"ref":"CHAIR.%d","sku":"CHAIR","qty":9}`, n+1))
	}
	return floor{b}
}

// stock is an event of stock about the line.
func (f floor) stock(sequence int64, kind string, batch int, reason string) []string {
	f.Helper()
	return f.fact(sequence, kind, fmt.Sprintf(`{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.%d","reason":%q}`, batch, reason))
}

// ready announces the line: stock put it on a batch by an event.
func (f floor) ready(batch int, fact int64) []string {
	f.Helper()
	return f.task("PickLine", fmt.Sprintf(`{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.%d","fact":%d}`, batch, fact))
}

// moves has stock take the line off a batch, and put it on another one.
func (f floor) moves(sequence int64, from, to int) (comes []string) {
	f.Helper()
	comes = f.stock(sequence, "Deallocated", from, "batch_reduced")
	return append(comes, f.stock(sequence+1, "Allocated", to, "")...)
}

var picked = []string{"LinePicked", "Dispatch"}

// Whichever of the two comes first, the line is picked with the other.
func TestPickLine_waitsForItsFact(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	require.Empty(t, f.stock(3, "Allocated", 1, ""), "it is not announced")
	require.Equal(t, picked, f.ready(1, 3))

	f = newFloor(t)
	require.Empty(t, f.ready(1, 4))
	require.Empty(t, f.fact(3, "OutOfStock", `{"orderid":"alice.2","lineid":"1","sku":"CHAIR","qty":3}`))
	require.Len(t, f.Lines, 1, "its event is on its way")
	require.Equal(t, picked, f.stock(4, "Allocated", 1, ""))
}

// An announcement whose event never came, as a person discarded it, is forgotten with the next one.
func TestPickLine_forgetsAFactThatWasDiscarded(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	require.Empty(t, f.ready(1, 4))
	require.Equal(t, []string{"EventsMissed"}, f.fact(5, "OutOfStock", `{"orderid":"alice.2","lineid":"1","sku":"CHAIR","qty":3}`))
	require.Empty(t, f.Lines)
}

// What was announced before the line moved says nothing of where it is now, though it came back.
func TestPickLine_ofALineThatMovedSince(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	f.stock(3, "Allocated", 1, "")
	f.moves(4, 1, 2)
	require.Empty(t, f.ready(1, 3))
	require.Empty(t, f.moves(6, 2, 1))
	require.Empty(t, f.ready(1, 3), "it is back on the batch, and was announced before")
	require.Empty(t, f.ready(2, 5))
	require.Equal(t, picked, f.ready(1, 7))
	require.EqualValues(t, 6, f.Batch("CHAIR.1").Shelf())
	require.EqualValues(t, 9, f.Batch("CHAIR.2").Shelf())
}

// It waits for the last of two announcements, in whichever order they come.
func TestPickLine_theLastAnnouncementCounts(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int64{{3, 7}, {7, 3}} {
		f := newFloor(t)
		for _, fact := range order {
			require.Empty(t, f.ready(1, fact))
		}
		require.Empty(t, f.stock(3, "Allocated", 1, ""), "stock has moved it since")
		require.Empty(t, f.ready(1, 3))
		require.Empty(t, f.moves(4, 1, 2))
		require.Equal(t, picked, f.moves(6, 2, 1))
	}
}

// What is picked and moved goes back, and is picked where it was announced meanwhile.
func TestPickLine_announcedFromElsewhereWhilePicked(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	f.stock(3, "Allocated", 1, "")
	require.Equal(t, picked, f.ready(1, 3))
	require.Empty(t, f.ready(2, 5))
	require.Empty(t, f.ready(1, 3), "stock would send it from where it is by now")
	require.Equal(t, append([]string{"LinePutBack"}, picked...), f.moves(4, 1, 2))
}

// However often a line is to be picked, its goods are taken off the shelf once. Stock may have
// refused to close it, so it is told again.
func TestPickLine_againOnlyTellsStockAgain(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	f.stock(3, "Allocated", 1, "")
	require.Equal(t, picked, f.ready(1, 3))
	require.Equal(t, []string{"Dispatch"}, f.ready(1, 3))
	require.EqualValues(t, 6, f.Batch("CHAIR.1").Shelf())
}

// What left, or is no longer wanted, is forgotten at once when it is announced late.
func TestPickLine_ofWhatIsOver(t *testing.T) {
	t.Parallel()
	for kind, reason := range map[string]string{"Dispatched": "", "Deallocated": "cancelled"} {
		f := newFloor(t)
		f.stock(3, "Allocated", 1, "")
		f.stock(4, kind, 1, reason)
		require.Empty(t, f.ready(1, 3))
		require.Empty(t, f.Lines, kind)
	}
}

// What stock has on a batch of somebody else cannot be sent from here, and a person is told.
func TestPickLine_ofAnotherBatch(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	for shipment := 1; shipment <= 2; shipment++ {
		b.task("AnnounceShipment", fmt.Sprintf(`{"sku":"CHAIR","shipment":%d,"qty":9}`, shipment))
	}
	for ref, comes := range map[string][]string{"b1": {"unknown_shipment"}, "CHAIR.3": {"unknown_shipment"}, "CHAIR.x": {"unknown_shipment"}, "CHAIR.2": nil} {
		require.Equal(t, comes, b.task("PickLine", `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"`+ref+`","fact":1}`), ref)
	}
}
