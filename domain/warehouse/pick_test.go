package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// However often a line is to be picked, its goods are taken off the shelf once.
func TestPickLine_againHasNoEffect(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9}`)
	b.fact(1, "BatchCreated", `{"ref":"CHAIR.1","sku":"CHAIR","qty":9}`)
	b.fact(2, "Allocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`)
	pick := `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.1"}`
	require.Equal(t, []string{"LinePicked", "Dispatch"}, b.task("PickLine", pick))
	require.Empty(t, b.task("PickLine", pick))
	require.EqualValues(t, 6, b.Batch("CHAIR.1").Shelf())
}
