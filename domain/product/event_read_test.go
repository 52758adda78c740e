package product_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

func TestReadEventData_readsWhatWasWritten(t *testing.T) {
	revision := int64(4)
	for name, c := range map[string]struct {
		event product.Event
		want  product.EventData
	}{
		"a batch": {
			product.Event{Type: product.BatchCreated, SKU: "CHAIR", BatchRef: "b\"1", Qty: 5, ETA: "2030-01-01"},
			product.EventData{Ref: "b\"1", SKU: "CHAIR", Qty: 5, ETA: "2030-01-01"},
		},
		"a quantity": {
			product.Event{Type: product.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: 5, Revision: revision},
			product.EventData{BatchRef: "b1", SKU: "CHAIR", Qty: 5, Revision: &revision},
		},
		"a line": {
			product.Event{Type: product.LineDeallocated, SKU: "CHAIR", BatchRef: "b1", Line: product.LineID{SKU: "CHAIR", OrderID: "o1", LineID: "l1"}, Qty: 2, Reason: "batch_reduced"},
			product.EventData{BatchRef: "b1", SKU: "CHAIR", OrderID: "o1", LineID: "l1", Qty: 2, Reason: "batch_reduced"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := product.ReadEventData(c.event.AppendData(nil))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := product.ReadEventData([]byte("{"))
	require.Error(t, err)
}
