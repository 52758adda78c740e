package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// However often a line is to be picked, its goods are taken off the shelf once. Stock may have
// refused to close it, so it is told again.
func TestPickLine_againOnlyTellsStockAgain(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9}`)
	b.fact(1, "BatchCreated", `{"ref":"CHAIR.1","sku":"CHAIR","qty":9}`)
	b.fact(2, "Allocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`)
	pick := `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.1"}`
	require.Equal(t, []string{"LinePicked", "Dispatch"}, b.task("PickLine", pick))
	require.Equal(t, []string{"Dispatch"}, b.task("PickLine", pick))
	require.EqualValues(t, 6, b.Batch("CHAIR.1").Shelf())
}

// What stock has on a batch of somebody else cannot be sent from here, and a person is told.
func TestPickLine_ofAnotherBatch(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	for shipment := 1; shipment <= 2; shipment++ {
		b.task("AnnounceShipment", fmt.Sprintf(`{"sku":"CHAIR","shipment":%d,"qty":9}`, shipment))
	}
	for ref, comes := range map[string][]string{"b1": {"unknown_shipment"}, "CHAIR.3": {"unknown_shipment"}, "CHAIR.x": {"unknown_shipment"}, "CHAIR.2": nil} {
		require.Equal(t, comes, b.task("PickLine", `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"`+ref+`"}`), ref)
	}
}
