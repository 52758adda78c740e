package product_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/domain/product"
)

func TestEvent_data(t *testing.T) {
	line := product.LineID{SKU: "CHAIR", OrderID: "o2", LineID: "l1"}
	plain := product.LineID{SKU: "CHAIR", OrderID: "o2"}
	for _, test := range []struct {
		event         product.Event
		data, subject string
	}{
		{product.Event{Type: product.BatchCreated, SKU: "CHAIR", BatchRef: "b1", Qty: 0},
			`{"ref":"b1","sku":"CHAIR","qty":0}`, "b1"},
		{product.Event{Type: product.BatchCreated, SKU: "CHAIR", BatchRef: "b1", Qty: 50, ETA: "2030-01-01"},
			`{"ref":"b1","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`, "b1"},
		{product.Event{Type: product.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: 25, Revision: product.NoRevision},
			`{"batchref":"b1","sku":"CHAIR","qty":25}`, "b1"},
		{product.Event{Type: product.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: 25, Revision: 0},
			`{"batchref":"b1","sku":"CHAIR","qty":25,"revision":0}`, "b1"},
		{product.Event{Type: product.BatchEtaChanged, SKU: "CHAIR", BatchRef: "b1"},
			`{"batchref":"b1","sku":"CHAIR"}`, "b1"},
		{product.Event{Type: product.BatchEtaChanged, SKU: "CHAIR", BatchRef: "b1", ETA: "2030-01-01"},
			`{"batchref":"b1","sku":"CHAIR","eta":"2030-01-01"}`, "b1"},
		{product.Event{Type: product.LineAllocated, SKU: "CHAIR", BatchRef: "b2", Line: plain, Qty: 20},
			`{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`, "o2"},
		{product.Event{Type: product.LineAllocated, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20},
			`{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2","lineid":"l1"}`, "o2"},
		{product.Event{Type: product.LineDeallocated, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20, Reason: product.DeallocatedBatchReduced},
			`{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2","reason":"batch_reduced","lineid":"l1"}`, "o2"},
		{product.Event{Type: product.LineDeallocated, SKU: "CHAIR", Line: plain, Qty: 20, Reason: product.DeallocatedCancelled},
			`{"orderid":"o2","sku":"CHAIR","qty":20,"reason":"cancelled"}`, "o2"},
		{product.Event{Type: product.LineOutOfStock, SKU: "CHAIR", Line: line, Qty: 20},
			`{"orderid":"o2","sku":"CHAIR","qty":20,"lineid":"l1"}`, "o2"},
		{product.Event{Type: product.LineDispatched, SKU: "CHAIR", BatchRef: "b2", Line: plain, Qty: 20},
			`{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`, "o2"},
		{product.Event{Type: product.AllocationRejected, SKU: "CHAIR", Line: plain, Qty: 20, Reason: "unknown_sku"},
			`{"orderid":"o2","sku":"CHAIR","qty":20,"reason":"unknown_sku"}`, "o2"},
	} {
		require.Equal(t, test.data, string(test.event.AppendData(nil)))
		require.Equal(t, test.subject, test.event.Subject())
	}
}

func TestEvent_dataEscapesOnlyWhatJSONDemands(t *testing.T) {
	e := product.Event{Type: product.BatchEtaChanged, BatchRef: "a\"\\/<&>é\u2028\n", SKU: "😀"}
	require.Equal(t, `{"batchref":"a\"\\/<&>é`+"\u2028"+`\u000a","sku":"😀"}`, string(e.AppendData(nil)))
}

func TestEvent_dataIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		var got struct{ Ref string }
		data := product.Event{Type: product.BatchCreated, BatchRef: want}.AppendData(nil)
		require.NoError(t, json.Unmarshal(data, &got))
		require.Equal(t, want, got.Ref)
	})
}
