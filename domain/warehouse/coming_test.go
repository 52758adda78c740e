package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/warehouse"
)

// What stock tells of a shipment before it is announced is known when it is: nothing is picked that
// has left, and lines that came to it are picked.
func TestComing(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	line := func(id, batch string) string {
		return `{"sku":"CHAIR","orderid":"alice.` + id + `","lineid":"1","qty":3,"batchref":"` + batch + `"}`
	}
	pick := `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.1","fact":2}`
	require.Empty(t, b.fact(1, "BatchCreated", `{"ref":"CHAIR.1","sku":"CHAIR","qty":9}`))
	require.Empty(t, b.fact(2, "Allocated", line("1", "CHAIR.1")))
	require.Empty(t, b.fact(3, "Allocated", line("2", "CHAIR.1")))
	require.Empty(t, b.fact(4, "Dispatched", line("2", "CHAIR.1")))
	require.Empty(t, b.fact(5, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":4,"revision":1}`))
	require.Empty(t, b.fact(6, "Allocated", line("3", "by hand")))
	require.Len(t, b.Lines, 1, "what others made is not the warehouse's")
	require.Zero(t, b.Free())
	require.Equal(t, []string{"unknown_shipment"}, b.task("PickLine", pick))

	require.Equal(t, []string{"ShipmentAnnounced", "CreateBatch", "ChangeBatchQuantity", "ChangeBatchQuantity"}, b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9}`))
	require.Empty(t, b.Coming)
	batch := b.Batch("CHAIR.1")
	require.EqualValues(t, []int64{6, 3, 3}, []int64{batch.Shelf(), batch.Revision, b.Free()})
	require.Empty(t, b.task("PickLine", pick), "not while stock is told")
	require.Equal(t, []string{"LinePicked", "Dispatch"}, b.fact(7, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":6,"revision":3}`))
	require.Equal(t, []string{"LineShipped"}, b.fact(8, "Dispatched", line("1", "CHAIR.1")))
	require.EqualValues(t, 3, b.Batch("CHAIR.1").Shelf())
}

// Somebody else's quantities may have more leave a batch than was there. Stock is told then that
// nothing is left, since it refuses less.
func TestTell_isNeverBelowZero(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	line := func(order string, qty int) string {
		return fmt.Sprintf(`{"sku":"CHAIR","orderid":%q,"lineid":"1","qty":%d,"batchref":"CHAIR.1"}`, order, qty)
	}
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":10}`)
	b.fact(1, "Allocated", line("alice.1", 1))
	require.Equal(t, []string{"LinePicked", "Dispatch"}, b.task("PickLine", `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.1","fact":1}`))
	require.Equal(t, []string{"GoodsLost"}, b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"r","qty":9}`))
	require.Equal(t, []string{"LineShipped"}, b.fact(2, "Dispatched", line("bob.1", 5)))
	require.Empty(t, b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"s","qty":1}`), "nothing is there to be damaged, or found")
	m, _ := warehouse.ReadFact("Dispatched", 3, []byte(line("alice.1", 1)))
	outputs := warehouse.Decide(m, &b.Ledger).Outputs
	require.Equal(t, "ChangeBatchQuantity", outputs[2].Type)
	require.Zero(t, *outputs[2].Data.Qty)
}
