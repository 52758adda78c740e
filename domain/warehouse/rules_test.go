package warehouse_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/warehouse"
)

// book is a ledger, and what its messages come to in short.
type book struct {
	*testing.T
	warehouse.Ledger
}

// task decides a task. It gives the types of what came of it, or the refusal's reason.
func (b *book) task(name, data string) []string {
	b.Helper()
	m, refusal := warehouse.ReadTask(name, []byte(data))
	if refusal != nil {
		return []string{refusal.Reason}
	}
	return b.decide(m)
}

func (b *book) fact(sequence int64, kind, data string) []string {
	b.Helper()
	m, refusal := warehouse.ReadFact(kind, sequence, []byte(data))
	if refusal != nil {
		return []string{refusal.Reason}
	}
	return b.decide(m)
}

func (b *book) decide(m warehouse.Message) (came []string) {
	d := warehouse.Decide(m, &b.Ledger)
	switch {
	case d.Refusal != nil:
		return []string{d.Refusal.Reason}
	case d.Ignored:
		return []string{"ignored"}
	}
	for _, o := range d.Outputs {
		came = append(came, o.Type)
	}
	return came
}

// Events that never came are told of, and what comes next is taken. A ledger that begins later than
// stock misses nothing.
func TestStockFact_behindAGap(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	quantity := `{"batchref":"b1","sku":"CHAIR","qty":3}`
	require.Empty(t, b.fact(7, "BatchQuantityChanged", quantity))
	require.Empty(t, b.fact(8, "BatchQuantityChanged", quantity))
	d := warehouse.Decide(warehouse.StockFact{Kind: "BatchQuantityChanged", Sequence: 11, Data: warehouse.Data{SKU: "CHAIR", BatchRef: "b1"}}, &b.Ledger)
	require.Equal(t, []warehouse.Output{{Type: "EventsMissed", Data: warehouse.Data{SKU: "CHAIR", After: 8, Before: 11}}}, d.Outputs)
	require.Equal(t, []string{"ignored"}, b.fact(9, "BatchQuantityChanged", quantity))
	require.Empty(t, b.fact(12, "BatchQuantityChanged", quantity))
	require.EqualValues(t, 2, b.Missed)
}

func TestTasks(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	for _, step := range []struct {
		name, data string
		comes      []string
		shelf      int64 // of shipment 1
	}{
		{"ReceiveShipment", `{"sku":"CHAIR","shipment":1}`, []string{"unknown_shipment"}, 0},
		{"AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":0}`, []string{"malformed"}, 0},
		{"AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9,"eta":"2030-02-30"}`, []string{"malformed"}, 0},
		{"AnnounceShipment", `{"sku":"CHAIR","shipment":2,"qty":9}`, []string{"shipment_conflict"}, 0},
		{"AnnounceShipment", `{"sku":"CHAIR","shipment":9223372036854775807,"qty":9}`, []string{"shipment_conflict"}, 0},
		{"AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9,"eta":"2030-01-01"}`, []string{"ShipmentAnnounced", "CreateBatch"}, 9},
		{"AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9,"eta":"2030-01-01"}`, nil, 9},
		{"AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":8}`, []string{"shipment_conflict"}, 9},
		{"ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"a","qty":2}`, []string{"not_arrived"}, 9},
		{"CountBatch", `{"sku":"CHAIR","shipment":1,"report":"a","qty":2}`, []string{"not_arrived"}, 9},
		{"ReceiveShipment", `{"sku":"CHAIR","shipment":1}`, []string{"ShipmentArrived", "ChangeBatchEta"}, 9},
		{"ReceiveShipment", `{"sku":"CHAIR","shipment":1}`, nil, 9},
		{"ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"a","qty":2}`, []string{"GoodsLost", "ChangeBatchQuantity", "ChangeBatchQuantity"}, 7},
		{"ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"a","qty":2}`, nil, 7},
		{"CountBatch", `{"sku":"CHAIR","shipment":1,"report":"b","qty":8}`, []string{"GoodsFound"}, 8}, // told when stock has answered
		{"CountBatch", `{"sku":"CHAIR","shipment":1,"report":"b","qty":5}`, nil, 8},
		{"CountBatch", `{"sku":"CHAIR","shipment":1,"report":"c","qty":99}`, []string{"GoodsFound"}, 9}, // no more than were received
		{"ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"d","qty":1}`, []string{"GoodsLost"}, 8},
		{"ReportDamage", `{"sku":"CHAIR","shipment":2,"report":"c","qty":2}`, []string{"unknown_shipment"}, 8},
		{"Steal", `{}`, []string{"unknown_type"}, 8},
		{"PickLine", `no JSON`, []string{"malformed"}, 8},
	} {
		require.Equal(t, step.comes, b.task(step.name, step.data), step)
		if batch := b.Batch("CHAIR.1"); batch != nil {
			require.Equal(t, step.shelf, batch.Shelf(), step)
		}
	}
}

// An order is sent: what is picked cannot be damaged, and a batch of which nothing is left is over.
func TestLine_isPickedOnceAndSent(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":5}`)
	b.fact(1, "BatchCreated", `{"ref":"CHAIR.1","sku":"CHAIR","qty":5}`)
	pick := `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.1","fact":2}`
	require.Empty(t, b.task("PickLine", pick), "orders heard of it first")
	require.Equal(t, []string{"LinePicked", "Dispatch"}, b.fact(2, "Allocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`))
	require.Equal(t, []string{"GoodsLost"}, b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"a","qty":5}`), "it is told when nothing is on its way")
	require.Zero(t, b.Batch("CHAIR.1").Shelf())
	require.Equal(t, []string{"LineShipped", "ChangeBatchQuantity", "ChangeBatchQuantity"}, b.fact(3, "Dispatched", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`))
	require.Equal(t, []string{"ignored"}, b.fact(3, "Dispatched", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`))
	b.fact(4, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":0,"revision":0}`)
	require.NotNil(t, b.Batch("CHAIR.1"))
	b.fact(5, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":0,"revision":1}`)
	require.Nil(t, b.Batch("CHAIR.1"))
	require.Equal(t, warehouse.Over{Batches: 1, Received: 5, Lost: 2, Shipped: 3}, b.Over)
	require.Empty(t, b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"b","qty":5}`), "nothing is there")
	require.Empty(t, b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":5}`))
	require.Empty(t, b.task("PickLine", pick), "it comes to nothing")
	require.Empty(t, b.Lines)
}

// A line that moved goes back on the shelf, and is picked again when it is announced from there.
func TestLine_thatMovedIsPutBack(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":5}`)
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":2,"qty":5}`)
	line := `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.%s"}`
	on := func(n string) string { return line[:len(line)-4] + n + `"}` }
	b.fact(1, "Allocated", on("1"))
	require.Equal(t, []string{"LinePicked", "Dispatch"}, b.task("PickLine", `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.1","fact":1}`))
	require.Empty(t, b.task("PickLine", `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.2","fact":3}`))
	require.Equal(t, []string{"LinePutBack"}, b.fact(2, "Deallocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1","reason":"batch_reduced"}`))
	require.Equal(t, []string{"LinePicked", "Dispatch"}, b.fact(3, "Allocated", on("2")))
	require.Equal(t, int64(5), b.Batch("CHAIR.1").Shelf())
	require.Equal(t, []string{"LinePutBack"}, b.fact(4, "Deallocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.2","reason":"cancelled"}`))
	require.Empty(t, b.Lines)
	require.EqualValues(t, 10, b.Free())
}

// A report is one report, also where it changed nothing when it came first.
func TestReports_areDoneOnce(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":5}`)
	b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"a","qty":2}`)
	b.fact(1, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":3,"revision":0}`)
	b.fact(2, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":3,"revision":1}`)
	require.Empty(t, b.task("CountBatch", `{"sku":"CHAIR","shipment":1,"report":"b","qty":3}`))
	b.fact(3, "Allocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`)
	b.task("PickLine", `{"sku":"CHAIR","orderid":"alice.1","lineid":"1","batchref":"CHAIR.1","fact":3}`)
	require.Empty(t, b.task("CountBatch", `{"sku":"CHAIR","shipment":1,"report":"b","qty":3}`), "nothing is found")
	require.Empty(t, b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"c","qty":1}`), "nothing is on the shelf")
	b.fact(4, "Deallocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1","reason":"cancelled"}`)
	require.Empty(t, b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"c","qty":1}`))
	require.EqualValues(t, 3, b.Batch("CHAIR.1").Shelf())
}

// Somebody else was first with a later revision: stock takes none of what the warehouse told
// before.
func TestBatch_isToldAgainWhereWhatItToldCameTooLate(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":5}`)
	b.task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"a","qty":2}`)
	require.Equal(t, []string{"ChangeBatchQuantity", "ChangeBatchQuantity"}, b.fact(1, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":1,"revision":7}`))
	b.fact(2, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":3,"revision":8}`)
	b.fact(3, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":3,"revision":9}`)
	require.False(t, b.Batch("CHAIR.1").Telling)
}

// Where somebody else tells stock a quantity, the warehouse tells it what there is.
func TestBatch_isToldAgainAfterSomebodyElse(t *testing.T) {
	t.Parallel()
	for _, revision := range []string{``, `,"revision":7`} {
		b := &book{T: t}
		b.task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":5}`)
		require.Equal(t, []string{"ChangeBatchQuantity", "ChangeBatchQuantity"}, b.fact(1, "BatchQuantityChanged", `{"batchref":"CHAIR.1","sku":"CHAIR","qty":1`+revision+`}`))
		require.True(t, b.Batch("CHAIR.1").Telling)
		require.Empty(t, b.fact(2, "BatchQuantityChanged", `{"batchref":"CHAIR.9","sku":"CHAIR","qty":1}`), "it is none of the warehouse's")
	}
}

func TestOrderReady_isDoneOnce(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	ready := `{"customerid":"alice","orderid":"alice.1","lines":[{"sku":"CHAIR","lineid":"1","qty":2,"batchref":"CHAIR.1","fact":2},{"sku":"TABLE","lineid":"2","qty":1,"batchref":"TABLE.1","fact":9}]}`
	require.Equal(t, []string{"PickLine", "PickLine"}, b.fact(4, "OrderReady", ready))
	require.Equal(t, []string{"ignored"}, b.fact(4, "OrderReady", ready))
	m, _ := warehouse.ReadFact("OrderReady", 5, []byte(ready))
	d := warehouse.Decide(m, &b.Ledger)
	for _, o := range d.Outputs {
		data, err := json.Marshal(o.Data)
		require.NoError(t, err)
		_, refusal := warehouse.ReadTask(o.Type, data)
		require.Nil(t, refusal)
	}
}

func TestReadFact_refusesWhatStockDoesNotSay(t *testing.T) {
	t.Parallel()
	b := &book{T: t}
	for _, f := range []struct {
		sequence   int64
		kind, data string
	}{
		{0, "Allocated", `{"orderid":"a","sku":"CHAIR","qty":1,"batchref":"b"}`},
		{1, "Allocated", `{"orderid":"a","sku":"CHAIR","batchref":"b"}`},
		{1, "Allocated", `{"orderid":"a","qty":1}`},
		{1, "Allocated", `[]`},
		{0, "OrderReady", `{"customerid":"alice","orderid":"alice.1"}`},
		{1, "OrderReady", `{"customerid":"alice"}`},
		{1, "OrderReady", `{"customerid":"alice","orderid":"alice.1","lines":[{"sku":"CHAIR"}]}`},
		{1, "OrderReady", `{"customerid":"alice","orderid":"alice.1","lines":[{"sku":"CHAIR","lineid":"1","qty":2,"batchref":"CHAIR.1"}]}`},
		{1, "OrderReady", `no`},
	} {
		require.Equal(t, []string{"malformed"}, b.fact(f.sequence, f.kind, f.data), f)
	}
}

func TestBatch_LostAtFollowsRevisions(t *testing.T) {
	t.Parallel()
	b := warehouse.Batch{Told: []warehouse.Told{{Revision: 4, Lost: 1}, {Revision: 6, Lost: 3}}}
	for revision, want := range map[int64]int64{4: 1, 5: 1, 6: 3, 9: 3} {
		lost, ok := b.LostAt(revision)
		require.True(t, ok)
		require.Equal(t, want, lost)
	}
	_, ok := b.LostAt(3)
	require.False(t, ok, "it was too long ago")
}
