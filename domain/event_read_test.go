package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain"
)

func TestReadEventData_readsWhatWasWritten(t *testing.T) {
	revision := int64(4)
	for name, c := range map[string]struct {
		event domain.Event
		want  domain.EventData
	}{
		"a batch": {
			domain.Event{Type: domain.BatchCreated, SKU: "CHAIR", BatchRef: "b\"1", Qty: 5, ETA: "2030-01-01"},
			domain.EventData{Ref: "b\"1", SKU: "CHAIR", Qty: 5, ETA: "2030-01-01"},
		},
		"a quantity": {
			domain.Event{Type: domain.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: 5, Revision: revision},
			domain.EventData{BatchRef: "b1", SKU: "CHAIR", Qty: 5, Revision: &revision},
		},
		"a line": {
			domain.Event{Type: domain.LineDeallocated, SKU: "CHAIR", BatchRef: "b1", Line: domain.LineID{SKU: "CHAIR", OrderID: "o1", LineID: "l1"}, Qty: 2, Reason: "batch_reduced"},
			domain.EventData{BatchRef: "b1", SKU: "CHAIR", OrderID: "o1", LineID: "l1", Qty: 2, Reason: "batch_reduced"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := domain.ReadEventData(c.event.AppendData(nil))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := domain.ReadEventData([]byte("{"))
	require.Error(t, err)
}
